-- Which events stand behind messages of a queue's own.
-- $1 smallint queue, $2 bigint[] numbers
-- Rows: seq bigint, event_position bigint (null: it is no event), is_replay boolean
-- Fast: queue_messages_pkey, once a number: a plan made while the table was small stays right when it has grown.
select m.seq, m.event_position, m.replay_no is not null
from unnest($2::bigint[]) wanted (seq)
    cross join lateral (select * from queue_messages q where q.queue_id = $1::smallint and q.seq = wanted.seq limit 1) m
