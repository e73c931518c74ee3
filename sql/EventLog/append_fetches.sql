-- Commits a batch that holds nothing but fetches, in one round trip.
-- $1 bigint writer, $2 bigint epoch, $3 integer format, $4 bigint batch number,
-- $5 text[] callers, $6 integer[] their key numbers (0: none), $7 integer[] those keys' generations,
-- $8 bigint[] product ids, $9 integer[] caller of each (index from 1), $10 smallint[] auth, $11 smallint[] via,
-- $12 smallint data schema, $13 uuid[] request ids, $14 text[] request labels, $15 bytea[] traces
-- Rows: one a fetch, in order; none when a caller is unknown or its key revoked (nothing was written then).
-- Fast: products by key; everything else is an insert.
select position, id, version, code, name, model, price, url, expires_at, created_at, updated_at, removed
from append_fetches($1::bigint, $2::bigint, $3::integer, $4::bigint, $5::text[], $6::integer[], $7::integer[],
    $8::bigint[], $9::integer[], $10::smallint[], $11::smallint[], $12::smallint, $13::uuid[], $14::text[], $15::bytea[])
