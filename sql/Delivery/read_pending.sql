-- The journal at a take-over: groups that the cursor has passed.
-- $1 smallint queue, $2 integer replay (0: live)
-- Rows: from_pos bigint, grp bigint
-- Fast: queue_pending_pkey.
select from_pos, grp from queue_pending where queue_id = $1::smallint and replay_no = $2::integer order by from_pos
