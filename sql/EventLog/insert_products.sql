-- Second half of replacing the rows that a batch touched: swapped codes never meet.
-- $1 bigint[] id, $2 integer[] version, $3 text[] code, $4 text[] name, $5 text[] model, $6 bigint[] price in
-- ten-thousandths, $7 text[] url, $8 timestamptz[] expires_at, $9 timestamptz[] created_at,
-- $10 timestamptz[] updated_at, $11 boolean[] removed
insert into products (id, version, code, name, model, price, url, expires_at, created_at, updated_at, removed)
select i, v, c, n, m, p / 10000.0, l, x, a, u, r
from unnest($1::bigint[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[],
    $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::boolean[]) f (i, v, c, n, m, p, l, x, a, u, r)
