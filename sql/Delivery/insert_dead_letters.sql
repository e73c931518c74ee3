-- Sets messages aside that were received too often.
-- $1 smallint queue, $2 integer replay (0: live), $3 bigint[] positions, $4 bigint[] groups, $5 integer[] counts
insert into queue_dead_letters (queue_id, replay_no, position, grp, receive_count)
select $1::smallint, $2::integer, p, g, c from unnest($3::bigint[], $4::bigint[], $5::integer[]) d (p, g, c)
on conflict do nothing
