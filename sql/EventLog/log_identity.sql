-- Which log this is.
-- Rows: one (origin text, incarnation text, min_writer integer, partition_size bigint), or none before the first start
select origin, incarnation, min_writer, partition_size from log_head
