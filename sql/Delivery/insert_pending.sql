-- Notes groups that the cursor passes.
-- $1 smallint queue, $2 bigint[] from positions, $3 bigint[] groups
insert into queue_pending (queue_id, from_pos, grp)
select $1::smallint, f, g from unnest($2::bigint[], $3::bigint[]) p (f, g)
