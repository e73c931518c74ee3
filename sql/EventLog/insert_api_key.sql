-- Stores a key; of its secret only the hash.
-- $1 text key id, $2 integer user_no, $3 bytea SHA-256 of the secret, $4 text[] scopes, $5 text plan, $6 timestamptz
-- created_at, $7 timestamptz expires_at
-- Rows: one: client_no integer
insert into api_keys (key_id, user_no, secret_hash, scopes, plan, created_at, expires_at)
values ($1::text, $2::integer, $3::bytea, $4::text[], $5::text, $6::timestamptz, $7::timestamptz) returning client_no
