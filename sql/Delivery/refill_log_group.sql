-- The next messages about no product.
-- $1 bigint from and $2 bigint through position, $3 smallint[] types, none for all, $4 integer at most so many
-- Rows: position bigint, in order
-- Fast: events_product (product_id is null).
select position from events
where product_id is null and position >= $1::bigint and position <= $2::bigint
    and (cardinality($3::smallint[]) = 0 or type = any ($3::smallint[]))
order by position limit $4::integer
