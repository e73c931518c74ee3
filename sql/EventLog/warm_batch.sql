-- Reads the rows that a batch is about to need, before the log's lock is taken, so that no cold page is read under it.
-- $1 bigint[] product ids, $2 text[] codes, $3 text[] user ids, $4 integer[] client numbers
-- Rows: one: bigint
-- Fast: products_pkey, products_code, users_user_id_key, api_keys_pkey.
select (select count(name) from products where id = any ($1::bigint[]))
     + (select count(name) from products where code = any ($2::text[]) and not removed)
     + (select count(actor) from users where user_id = any ($3::text[]))
     + (select count(scopes) from api_keys where client_no = any ($4::integer[]))
