-- A page of live products.
-- $1 bigint after this id, $2 integer at most so many
-- Rows: as find_products, by id
-- Fast: products_live.
select id, version, code, name, model, (price * 10000)::bigint as price, url, expires_at, created_at, updated_at, removed
from products where id > $1::bigint and not removed order by id limit $2::integer
