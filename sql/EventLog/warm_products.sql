-- Reads the rows that a batch is about to need, before the log's lock is taken, so that no cold page is read under it.
-- $1 bigint[] product ids, $2 text[] codes
-- Rows: one: count bigint
-- Fast: products_pkey, products_code.
select (select count(name) from products where id = any ($1::bigint[]))
     + (select count(name) from products where code = any ($2::text[]) and not removed)
