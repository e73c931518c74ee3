-- An API key by its public id, with its owner.
-- $1 text key id
-- Rows: client_no integer, user_id text, secret_hash bytea, scopes text[], expires_at timestamptz,
--       revoked_at timestamptz, generation integer
-- Fast: api_keys_key_id_key.
select k.client_no, u.user_id, k.secret_hash, k.scopes, k.expires_at, k.revoked_at, k.generation
from api_keys k join users u using (user_no) where k.key_id = $1::text
