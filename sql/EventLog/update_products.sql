-- Brings rows of products that keep their code up to date. In place: no index changes but that of `expires_at`.
-- $1 bigint[] id, $2 integer[] version, $3 text[] name, $4 text[] model, $5 bigint[] price in ten-thousandths,
-- $6 text[] url, $7 timestamptz[] expires_at, $8 timestamptz[] updated_at
-- Fast: products_pkey.
update products p
set version = v, name = n, model = m, price = q / 10000.0, url = l, expires_at = x, updated_at = u
from unnest($1::bigint[], $2::integer[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::timestamptz[],
    $8::timestamptz[]) f (i, v, n, m, q, l, x, u)
where p.id = f.i
