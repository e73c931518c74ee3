-- The projection's rows of a range of ids, ended products too.
-- $1 bigint after this id, $2 bigint up to and with this id
-- Rows: as find_products, by id
-- Fast: products_pkey.
select id, version, code, name, model, (price * 10000)::bigint as price, url, expires_at, created_at, updated_at, removed
from products where id > $1::bigint and id <= $2::bigint order by id
