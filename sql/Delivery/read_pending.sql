-- The journal at a take-over: groups that the cursor has passed.
-- $1 smallint queue
-- Rows: from_pos bigint, grp bigint
select from_pos, grp from queue_pending where queue_id = $1::smallint order by from_pos
