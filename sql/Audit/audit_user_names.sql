-- The ids of users.
-- $1 integer[] user numbers
-- Rows: user_no integer, user_id text (null once erased)
-- Fast: users_pkey.
select user_no, user_id from users where user_no = any ($1::integer[])
