-- What stands in the queues, as far as the database knows.
-- Rows: name text, owner text, behind bigint (at most so many messages are not yet deleted), handed_out bigint,
--       dead bigint (of this queue, in its dead-letter queue)
-- Fast: the keys of the journals, which hold what is under way.
select q.name, q.owner,
    case when q.over_log then coalesce((select position from events order by position desc limit 1), 0)
        else last_message(q.queue_id) end - least(
        coalesce((select low from queue_leases l where l.queue_id = q.queue_id and l.replay_no = 0
            order by lease_id desc limit 1), q.after_position),
        (select min(from_pos) - 1 from queue_pending p where p.queue_id = q.queue_id and p.replay_no = 0),
        (select min(p) - 1 from queue_leases l, unnest(l.pos) with ordinality e (p, i)
            where l.queue_id = q.queue_id and l.replay_no = 0 and (l.gone >> (i::integer - 1)) & 1 = 0)) as behind,
    (select count(*) from queue_leases l, unnest(l.pos) with ordinality e (p, i)
        where l.queue_id = q.queue_id and (l.gone >> (i::integer - 1)) & 1 = 0) as handed_out,
    (select count(*) from queues d join dead_letters m on m.queue_id = d.queue_id and m.dead_in = q.name
        where d.name = q.dead_letter_queue) as dead
from queues q where q.deleted_at is null order by q.queue_id
