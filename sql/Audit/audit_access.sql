-- The API keys that served at a moment, oldest first.
-- $1 timestamptz the moment, $2 integer after this key's number, $3 integer at most so many
-- Rows: client_no integer, key_id text, user_no integer, user_id text (null once erased), scopes text[], plan text,
--       created_at, expires_at timestamptz
-- Fast: api_keys_pkey, as many rows as keys were ever made.
select k.client_no, k.key_id, k.user_no, u.user_id, k.scopes, k.plan, k.created_at, k.expires_at
from api_keys k join users u using (user_no)
where k.client_no > $2::integer and k.created_at <= $1::timestamptz
    and (k.expires_at is null or k.expires_at > $1::timestamptz)
    and (k.revoked_at is null or k.revoked_at > $1::timestamptz)
order by k.client_no limit $3::integer
