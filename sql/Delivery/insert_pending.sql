-- Notes groups that the cursor passes.
-- $1 smallint queue, $2 integer replay (0: live), $3 bigint[] from positions, $4 bigint[] groups
insert into queue_pending (queue_id, replay_no, from_pos, grp)
select $1::smallint, $2::integer, f, g from unnest($3::bigint[], $4::bigint[]) p (f, g)
