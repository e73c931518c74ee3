-- Takes the log's lock and answers where it ends.
-- $1 bigint writer, $2 bigint its epoch, $3 integer format this program writes
-- Rows: one: last_position bigint, next_time timestamptz, clock timestamptz
-- Raises RS001 (deposed), RS002 (program too old), RS004 (not initialised).
-- Fast: the single row of log_head, the writer's key, the last entry of the events' key.
select last_position, next_time, clock from lock_head($1::bigint, $2::bigint, $3::integer)
