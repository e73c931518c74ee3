-- Where the log ends and how far its time is ahead of the clock.
-- Rows: one (position bigint, recorded_at timestamptz, clock timestamptz), or none when the log is empty
-- Fast: the end of the events' key.
select position, recorded_at, clock_timestamp() as clock from events order by position desc limit 1
