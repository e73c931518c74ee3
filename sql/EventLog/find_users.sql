-- The numbers of the callers of a batch.
-- $1 text[] user ids
-- Rows: user_id text, user_no integer; none for an id that was never seen or was erased
-- Fast: users_user_id_key.
select user_id, user_no from users where user_id = any ($1::text[])
