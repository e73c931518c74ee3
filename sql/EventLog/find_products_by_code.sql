-- Live products by code: who holds the codes that a batch asks for.
-- $1 text[] codes
-- Rows: as find_products
-- Fast: products_code.
select id, version, code, name, model, (price * 10000)::bigint as price, url, expires_at, created_at, updated_at, removed
from products where code = any ($1::text[]) and not removed
