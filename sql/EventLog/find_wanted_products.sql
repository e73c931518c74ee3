-- Products of a batch, ended ones too, and the live products that hold the codes it asks for.
-- $1 bigint[] product ids, $2 text[] codes
-- Rows: as find_products
-- Fast: products_pkey; products_code for the codes that none of the products by id holds.
with named as materialized (
    select id, version, code, name, model, (price * 10000)::bigint as price, url, expires_at, created_at, updated_at,
        removed
    from products where id = any ($1::bigint[])
)
select id, version, code, name, model, price, url, expires_at, created_at, updated_at, removed from named
union all
select id, version, code, name, model, (price * 10000)::bigint, url, expires_at, created_at, updated_at, removed
from products
where code = any (array(
        select c from unnest($2::text[]) c where c not in (select n.code from named n where not n.removed)))
    and not removed
