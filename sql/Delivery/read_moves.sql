-- Moves of a queue, the newest first.
-- $1 smallint queue, $2 integer at most so many
-- Rows: as MoveTask reads them
select move_no, queue_id, target, per_second, moved, total, status, failure, started_at, ended_at from queue_moves
where queue_id = $1::smallint order by move_no desc limit $2::integer
