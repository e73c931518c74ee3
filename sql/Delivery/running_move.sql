-- The move out of a queue that is under way.
-- $1 smallint queue
-- Rows: as MoveTask reads them, or none
-- Fast: queue_moves_running.
select move_no, queue_id, target, per_second, moved, total, status, failure, started_at, ended_at from queue_moves
where queue_id = $1::smallint and ended_at is null
