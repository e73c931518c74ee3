-- Where the log ends, and the latest moment that is known: of its end or of the clock.
-- Rows: one: position bigint (0 when the log is empty), latest timestamptz
-- Fast: the end of the events' key.
select coalesce(e.position, 0) as position, greatest(e.recorded_at, clock_timestamp()) as latest
from (select) one left join (select position, recorded_at from events order by position desc limit 1) e on true
