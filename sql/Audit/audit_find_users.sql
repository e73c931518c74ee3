-- The numbers of users.
-- $1 text[] user ids, $2 integer[] numbers of users who were erased
-- Rows: user_no integer, user_id text (null once erased)
-- Fast: users_user_id_key and users_pkey.
select user_no, user_id from users
where user_id = any ($1::text[]) or (user_no = any ($2::integer[]) and user_id is null)
