-- Messages that were set aside, the newest first, and the last error of each.
-- $1 integer at most so many
-- Rows: queue's name text, position bigint or null, grp bigint, receive_count integer, died_at timestamptz,
--       dead-letter queue's name text, message_id uuid, error text or null, error's time timestamptz or null
select m.dead_in, m.event_position, m.grp, coalesce(m.receive_count, 0), m.arrived_at, q.name, m.message_id,
    f.error, f.last_at
from dead_letters m join queues q using (queue_id)
    left join (queues o join consumers c on c.queue_id = o.queue_id join consumer_failures f using (consumer_no))
    on o.name = m.dead_in and f.position = m.event_position and m.replay_no is null
order by m.arrived_at desc, m.seq desc limit $1::integer
