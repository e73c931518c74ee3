-- Reads the rows that a batch is about to need, before the log's lock is taken, so that no cold page is read under it.
-- $1 bigint[] product ids, $2 text[] codes, $3 text[] user ids, $4 integer[] client numbers
-- Rows: one: bigint
-- Fast: products_pkey, users_user_id_key, api_keys_pkey; products_code for the codes that none of the products by id
-- holds.
with named as materialized (select code, name, removed from products where id = any ($1::bigint[]))
select (select count(name) from named)
     + (select count(name) from products
        where code = any (array(
                select c from unnest($2::text[]) c where c not in (select n.code from named n where not n.removed)))
            and not removed)
     + (select count(actor) from users where user_id = any ($3::text[]))
     + (select count(scopes) from api_keys where client_no = any ($4::integer[]))
