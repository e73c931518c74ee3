-- Forgets applied positions that cannot be delivered again: all below the oldest message that is still outstanding.
-- $1 smallint queue
delete from activity_inbox where position < (
    select least(
        (select min(p) from queue_leases l, unnest(l.pos) with ordinality e (p, i)
            where l.queue_id = $1::smallint and l.replay_no = 0 and (l.gone >> (i::integer - 1)) & 1 = 0),
        (select min(from_pos) from queue_pending where queue_id = $1::smallint and replay_no = 0),
        (select low + 1 from queue_leases where queue_id = $1::smallint and replay_no = 0 order by lease_id desc limit 1)))
