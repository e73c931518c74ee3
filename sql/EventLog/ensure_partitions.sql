-- Makes the events' partitions ahead of the log.
-- $1 integer how many ahead
-- Rows: one: made integer
select ensure_partitions(coalesce((select position from events order by position desc limit 1), 1), $1::integer) as made
