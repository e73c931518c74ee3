-- Gives users numbers, in the order given. Runs under the head's lock, so nobody else registers the same ids.
-- $1 text[] user ids, $2 bytea[] keys (32 bytes each), $3 bytea[] actors (32 bytes each)
-- Rows: user_id text, user_no integer
insert into users (user_id, key, actor)
select i, k, a from unnest($1::text[], $2::bytea[], $3::bytea[]) with ordinality u (i, k, a, ord) order by ord
returning user_id, user_no
