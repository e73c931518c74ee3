-- Gives a user a number. Runs under the head's lock, so nobody else registers the same id.
-- $1 text user id, $2 bytea key (32 bytes), $3 bytea actor (32 bytes)
-- Rows: one: user_no integer
insert into users (user_id, key, actor) values ($1::text, $2::bytea, $3::bytea) returning user_no
