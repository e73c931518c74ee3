-- Removes notes of groups that have moved on.
-- $1 smallint queue, $2 bigint[] from positions
-- Fast: queue_pending_pkey.
delete from queue_pending where queue_id = $1::smallint and from_pos = any ($2::bigint[])
