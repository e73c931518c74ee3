-- Products by id, ended ones too.
-- $1 bigint[] product ids
-- Rows: a product's columns; price bigint in ten-thousandths; removed boolean: deleted, this is its last state
-- Fast: products_pkey.
select id, version, code, name, model, (price * 10000)::bigint as price, url, expires_at, created_at, updated_at, removed
from products where id = any ($1::bigint[])
