-- First half of replacing the rows that a batch touched.
-- $1 bigint[] product ids
-- Fast: products_pkey.
delete from products where id = any ($1::bigint[])
