-- The next messages about no product.
-- $1 bigint from and $2 bigint through position, $3 integer at most so many
-- Rows: position bigint, in order
-- Fast: events_product (product_id is null).
select position from events
where product_id is null and position >= $1::bigint and position <= $2::bigint
order by position limit $3::integer
