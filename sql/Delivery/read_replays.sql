-- Replays of a queue that are not finished.
-- $1 smallint queue
-- Rows: replay_no integer, from_position bigint, to_position bigint, product_id bigint, types smallint[]
-- Fast: queue_replays_unfinished.
select replay_no, from_position, to_position, product_id, types from queue_replays
where queue_id = $1::smallint and finished_at is null order by replay_no
