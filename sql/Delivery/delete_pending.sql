-- Removes notes of groups that have moved on.
-- $1 smallint queue, $2 integer replay (0: live), $3 bigint[] from positions
-- Fast: queue_pending_pkey.
delete from queue_pending
where queue_id = $1::smallint and replay_no = $2::integer and from_pos = any ($3::bigint[])
