-- How many events of a stretch of the log a replay would deliver.
-- $1 bigint after and $2 bigint through position, $3 bigint product or null, $4 smallint[] types, none for all
-- Rows: one: bigint
-- Fast: the events' key; the caller bounds the range.
select count(*) from events
where position > $1::bigint and position <= $2::bigint and ($3::bigint is null or product_id = $3::bigint)
    and (cardinality($4::smallint[]) = 0 or type = any ($4::smallint[]))
