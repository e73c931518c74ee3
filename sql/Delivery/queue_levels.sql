-- How the queues stand, as metrics tell it: as far as the database knows.
-- $1 integer at most so many, the oldest first
-- Rows: name text, has an owner boolean, behind bigint (at most so many messages are not deleted), dead bigint (up to
--       10,000), age in seconds of the oldest message of a queue without an owner double precision or null: there is
--       none, its owner knows better, or none is among the next 10,000 events
-- Fast: the keys of the journals, which hold what is under way; the ends of keys.
with shown as (
    select * from queues where deleted_at is null order by queue_id limit $1::integer
), fronts as materialized (
    -- Up to `low` everything is deleted. A queue's last row may stand beyond its delete.
    select q.queue_id, q.name, least(
        coalesce((select low from queue_leases l where l.queue_id = q.queue_id and l.replay_no = 0
            order by lease_id desc limit 1), q.after_position),
        (select min(from_pos) - 1 from queue_pending p where p.queue_id = q.queue_id and p.replay_no = 0),
        (select min(p) - 1 from queue_leases l, unnest(l.pos) with ordinality e (p, i)
            where l.queue_id = q.queue_id and l.replay_no = 0 and (l.gone >> (i::integer - 1)) & 1 = 0)) as low
    from queues q where q.deleted_at is null
        and (q.queue_id in (select queue_id from shown) or q.name in (select dead_letter_queue from shown))
)
select s.name, o.is_owned, greatest(0, case when s.over_log
        then coalesce((select position from events order by position desc limit 1), 0)
        else last_message(s.queue_id) end - f.low),
    (select count(*) from (select from fronts d join queue_messages m on m.queue_id = d.queue_id and m.seq > d.low
        where d.name = s.dead_letter_queue and m.dead_in = s.name limit 10000) dead),
    extract(epoch from clock_timestamp() - case when o.is_owned then null
        when s.over_log then (select e.recorded_at from events e
            where e.position > f.low and e.position <= f.low + 10000
                and (cardinality(s.event_types) = 0 or e.type = any (s.event_types))
                and (cardinality(s.product_ids) = 0 or e.product_id = any (s.product_ids))
            order by e.position limit 1)
        else (select m.arrived_at from queue_messages m where m.queue_id = s.queue_id and m.seq > f.low
            order by m.seq limit 1) end)::double precision
from shown s join fronts f using (queue_id)
cross join lateral (
    select coalesce(s.owner is not null and s.lease_until > clock_timestamp(), false) as is_owned
) o
order by s.queue_id
