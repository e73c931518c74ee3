-- What stands in the queues, as far as the database knows.
-- Rows: name text, owner text, low bigint, handed_out bigint, dead bigint, head bigint
select q.name, q.owner,
    coalesce((select low from queue_leases l where l.queue_id = q.queue_id and l.replay_no = 0 order by lease_id desc limit 1), 0),
    (select count(*) from queue_leases l, unnest(l.pos) with ordinality e (p, i)
        where l.queue_id = q.queue_id and (l.gone >> (i::integer - 1)) & 1 = 0),
    (select count(*) from queue_dead_letters d where d.queue_id = q.queue_id),
    coalesce((select position from events order by position desc limit 1), 0)
from queues q order by q.queue_id
