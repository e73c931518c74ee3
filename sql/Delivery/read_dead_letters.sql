-- Messages that were set aside, the newest first.
-- $1 integer at most so many
-- Rows: queue's name text, position bigint or null, grp bigint, receive_count integer, died_at timestamptz,
--       dead-letter queue's name text, message_id uuid
select m.dead_in, m.event_position, m.grp, coalesce(m.receive_count, 0), m.arrived_at, q.name, m.message_id
from queue_messages m join queues q using (queue_id)
where m.dead_in is not null order by m.arrived_at desc, m.seq desc limit $1::integer
