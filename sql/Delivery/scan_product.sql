-- The next messages of a replay of one product.
-- $1 bigint product, $2 bigint after and $3 bigint through position, $4 smallint[] types, none for all,
-- $5 integer at most so many
-- Rows: position bigint, grp bigint, in order
-- Fast: events_product.
select position, product_id from events
where product_id = $1::bigint and position > $2::bigint and position <= $3::bigint
    and (cardinality($4::smallint[]) = 0 or type = any ($4::smallint[]))
order by position limit $5::integer
