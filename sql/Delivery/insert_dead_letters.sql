-- Sets messages aside that were received too often.
-- $1 smallint queue, $2 bigint[] positions, $3 bigint[] groups, $4 integer[] receive counts
insert into queue_dead_letters (queue_id, position, grp, receive_count)
select $1::smallint, p, g, c from unnest($2::bigint[], $3::bigint[], $4::integer[]) d (p, g, c)
on conflict do nothing
