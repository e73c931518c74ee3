-- Gives a key a new secret; the old one stops at once.
-- $1 text key id, $2 bytea SHA-256 of the secret
-- Rows: client_no integer, generation integer
update api_keys set secret_hash = $2::bytea, generation = generation + 1
where key_id = $1::text and revoked_at is null returning client_no, generation
