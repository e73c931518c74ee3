-- Messages of a queue's own, as they were sent or died.
-- $1 smallint queue, $2 bigint[] numbers
-- Rows: seq bigint, message_id uuid, group_id text, deduplication_id text, body text, attributes bytea,
--       event_position bigint, replay_no integer, sender's key id text, sent_at timestamptz, dead_in text, grp bigint
-- Fast: queue_messages_pkey, once a number: a plan made while the table was small stays right when it has grown.
select m.seq, m.message_id, m.group_id, m.deduplication_id, m.body, m.attributes, m.event_position, m.replay_no,
    (select key_id from api_keys k where k.client_no = m.client_no), m.sent_at, m.dead_in, m.grp
from unnest($2::bigint[]) wanted (seq)
    cross join lateral (select * from queue_messages q
        where q.queue_id = $1::smallint and q.seq = wanted.seq and not q.is_void limit 1) m
