-- Ends a replay to a destination, whose owner has delivered it.
-- $1 integer replay
update destination_replays set finished_at = clock_timestamp()
where replay_no = $1::integer and finished_at is null
