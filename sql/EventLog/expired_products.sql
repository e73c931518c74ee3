-- Live products whose time is over.
-- $1 integer at most so many
-- Rows: id bigint, the longest expired first
-- Fast: products_expiry, which holds only products that expire.
select id from products
where expires_at <= clock_timestamp() and not removed order by expires_at limit $1::integer
