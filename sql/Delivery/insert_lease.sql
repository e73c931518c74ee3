-- Writes one receive down.
-- $1 smallint queue, $2 integer replay (0: live), $3 bigint lease, $4 bigint low, $5 bigint[] until,
-- $6 bigint[] groups, $7 bigint[] positions, $8 integer[] receive counts, $9 integer gone
insert into queue_leases (queue_id, replay_no, lease_id, low, until, grp, pos, receive_count, gone)
values ($1::smallint, $2::integer, $3::bigint, $4::bigint, $5::bigint[], $6::bigint[], $7::bigint[], $8::integer[],
    $9::integer)
