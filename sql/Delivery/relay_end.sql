-- Where the log ends, for relays.
-- Rows: one (position bigint), or none when the log is empty
-- Fast: the end of the events' key.
select position from events order by position desc limit 1
