-- Events that a destination refused for good, the oldest first.
-- $1 text destination's name or null for all, $2 bigint position or null for all, $3 integer at most so many
-- Rows: destination's name text, position bigint, grp bigint, replay_no integer, error text, parked_at timestamptz
-- Fast: parked_events_pkey.
select d.name, p.position, p.grp, p.replay_no, p.error, p.parked_at
from parked_events p join destinations d using (destination_id)
where p.skipped_at is null and d.removed_at is null and ($1::text is null or d.name = $1::text)
    and ($2::bigint is null or p.position = $2::bigint)
order by p.parked_at, p.position limit $3::integer
