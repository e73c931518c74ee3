-- Ends a key. Nothing is returned when there is no such key or it was revoked before.
-- $1 text key id, $2 timestamptz when
-- Rows: client_no integer, user_no integer
update api_keys set revoked_at = $2::timestamptz where key_id = $1::text and revoked_at is null
returning client_no, user_no
