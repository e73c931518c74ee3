-- Writes one receive down.
-- $1 smallint queue, $2 bigint lease, $3 bigint low, $4 bigint[] until, $5 bigint[] groups, $6 bigint[] positions,
-- $7 integer[] receive counts, $8 integer gone
insert into queue_leases (queue_id, lease_id, low, until, grp, pos, receive_count, gone)
values ($1::smallint, $2::bigint, $3::bigint, $4::bigint[], $5::bigint[], $6::bigint[], $7::integer[], $8::integer)
