-- Keeps why events could not be applied.
-- $1 smallint consumer, $2 bigint[] positions, $3 text[] errors, each at most 1,000 characters
-- Fast: consumer_failures_pkey.
insert into consumer_failures as f (consumer_no, position, error, count, first_at, last_at)
select distinct on (g.position) $1::smallint, g.position, g.error, 1, clock_timestamp(), clock_timestamp()
from unnest($2::bigint[], $3::text[]) g (position, error) order by g.position
on conflict (consumer_no, position)
do update set error = excluded.error, count = f.count + 1, last_at = excluded.last_at
