-- Which products changed in a range of the log.
-- $1 bigint after this position, $2 bigint up to and with this position
-- Rows: product_id bigint, distinct
-- Fast: the events' key over the range.
select distinct product_id from events where position > $1::bigint and position <= $2::bigint and type <= 4
