-- How far a replay to a destination is.
-- $1 integer replay
-- Rows: one: cursor bigint, finished boolean, parked bigint, held products bigint, somebody relays boolean,
--       the destination was removed before it had everything boolean
-- Fast: keys.
select r.cursor, r.finished_at is not null,
    (select count(*) from parked_events p where p.destination_id = r.destination_id and p.replay_no = r.replay_no
        and p.skipped_at is null),
    (select count(*) from relay_holds h where h.destination_id = r.destination_id and h.replay_no = r.replay_no),
    coalesce(d.lease_until > clock_timestamp(), false), d.removed_at is not null and r.cursor < r.to_position
from destination_replays r join destinations d using (destination_id) where r.replay_no = $1::integer
