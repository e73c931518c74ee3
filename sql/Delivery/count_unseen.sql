-- How many messages of a queue were not looked at yet, about.
-- $1 smallint queue, $2 bigint looked through here
-- Rows: one: bigint
-- Fast: the ends of keys.
select greatest(0, case when over_log then coalesce((select position from events order by position desc limit 1), 0)
    else last_message(queue_id) end - $2::bigint)
from queues where queue_id = $1::smallint
