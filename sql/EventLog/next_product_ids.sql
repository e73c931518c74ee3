-- Takes ids for products to be created; one that a client has named before says so.
-- $1 integer how many
-- Rows: id bigint, used boolean
with ids as materialized (select nextval('product_ids') as id from generate_series(1, $1::integer))
select ids.id, exists (select from products p where p.id = ids.id) as used from ids
