-- Messages that were set aside, the newest first.
-- $1 integer at most so many
-- Rows: queue's name text, position bigint, grp bigint, receive_count integer, died_at timestamptz
select q.name, d.position, d.grp, d.receive_count, d.died_at
from queue_dead_letters d join queues q using (queue_id) order by d.died_at desc, d.position desc limit $1::integer
