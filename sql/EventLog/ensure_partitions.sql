-- Makes the events' partitions ahead of the log.
-- $1 integer how many ahead, at most 4
-- Rows: one: made integer
select ensure_partitions($1::integer) as made
