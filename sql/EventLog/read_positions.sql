-- Which product each event of a range names and which version it saw.
-- $1 bigint first position, $2 bigint last position
-- Rows: position bigint, product_id bigint, type smallint, version integer
-- Fast: the events' key.
select position, product_id, type, version from events
where position between $1::bigint and $2::bigint order by position
