-- How many messages of a queue were not looked at yet, about.
-- $1 smallint queue, $2 bigint looked through here
-- Rows: one: bigint
-- Fast: the ends of keys.
select greatest(0, case when over_log then coalesce((select position from events order by position desc limit 1), 0)
    else coalesce((select m.seq from queue_messages m where m.queue_id = q.queue_id and not m.is_void
        order by m.seq desc limit 1), 0) end - $2::bigint)
from queues q where queue_id = $1::smallint
