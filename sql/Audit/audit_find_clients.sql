-- The numbers of API keys.
-- $1 text[] public ids
-- Rows: client_no integer, key_id text
-- Fast: api_keys_key_id_key.
select client_no, key_id from api_keys where key_id = any ($1::text[])
