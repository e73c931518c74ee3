-- The next messages of one product.
-- $1 bigint product, $2 bigint from and $3 bigint through position, $4 integer at most so many
-- Rows: position bigint, in order
-- Fast: events_product.
select position from events
where product_id = $1::bigint and position >= $2::bigint and position <= $3::bigint
order by position limit $4::integer
