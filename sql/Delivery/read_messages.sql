-- Messages of a queue's own, as they were sent or died.
-- $1 smallint queue, $2 bigint[] numbers
-- Rows: seq bigint, message_id uuid, group_id text, deduplication_id text, body text, attributes bytea,
--       event_position bigint, replay_no integer, sender's key id text, sent_at timestamptz, dead_in text, grp bigint
-- Fast: queue_messages_pkey.
select m.seq, m.message_id, m.group_id, m.deduplication_id, m.body, m.attributes, m.event_position, m.replay_no,
    k.key_id, m.sent_at, m.dead_in, m.grp
from queue_messages m left join api_keys k using (client_no)
where m.queue_id = $1::smallint and m.seq = any ($2::bigint[])
