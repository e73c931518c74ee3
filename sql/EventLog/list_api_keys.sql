-- All API keys, oldest first.
-- Rows: key_id text, user_id text, scopes text[], plan text, created_at, expires_at, revoked_at timestamptz
select k.key_id, u.user_id, k.scopes, k.plan, k.created_at, k.expires_at, k.revoked_at
from api_keys k join users u using (user_no) order by k.client_no
