-- How far the destinations are, as metrics tell it.
-- $1 integer at most so many, the oldest first
-- Rows: name text, lag bigint, age in seconds double precision or null (nothing waits), parked bigint, age of the first
--       that was parked double precision or null, held products bigint, has an owner boolean, is paused boolean,
--       is failing boolean
-- Fast: few destinations; their parked events and holds by key, both bounded in number.
select d.name, greatest(0, coalesce((select position from events order by position desc limit 1), 0) - d.cursor),
    extract(epoch from clock_timestamp() - least(
        (select e.recorded_at from events e where e.position = d.cursor + 1),
        (select e.recorded_at from events e where e.position = (select min(h.from_position) from relay_holds h
            where h.destination_id = d.destination_id and h.replay_no = 0 and not h.is_parked))))::double precision,
    p.count, extract(epoch from clock_timestamp() - p.first)::double precision,
    (select count(*) from relay_holds h where h.destination_id = d.destination_id),
    coalesce(d.owner is not null and d.lease_until > clock_timestamp(), false), d.is_paused,
    d.failing_since is not null
from destinations d
cross join lateral (select count(*), min(parked_at) as first from parked_events p
    where p.destination_id = d.destination_id and p.skipped_at is null) p
where d.removed_at is null order by d.destination_id limit $1::integer
