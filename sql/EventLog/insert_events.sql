-- Appends events under the head's lock.
-- $1 bigint[] position, $2 bigint[] product_id, $3 timestamptz[] recorded_at, $4 integer[] user_no,
-- $5 integer[] client_no, $6 integer[] version, $7 smallint[] type, $8 smallint[] auth, $9 smallint[] via,
-- $10 smallint data schema, $11 uuid[] request_id, $12 text[] request_label, $13 bytea[] trace, $14 text[] code,
-- $15 bytea[] data_salt, $16 json[] data
insert into events (position, product_id, recorded_at, user_no, client_no, version, type, auth, via, schema,
    request_id, request_label, trace, code, data_salt, data)
select p, i, t, u, c, v, y, a, r, $10::smallint, q, l, x, k, s, d
from unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::integer[], $5::integer[], $6::integer[], $7::smallint[],
    $8::smallint[], $9::smallint[], $11::uuid[], $12::text[], $13::bytea[], $14::text[], $15::bytea[], $16::json[])
    e (p, i, t, u, c, v, y, a, r, q, l, x, k, s, d)
