-- The next of a queue's own messages.
-- $1 smallint queue, $2 bigint after this number, $3 integer at most so many
-- Rows: seq bigint, grp bigint, visible_at timestamptz, in order
-- Fast: queue_messages_pkey.
select seq, grp, visible_at from queue_messages
where queue_id = $1::smallint and seq > $2::bigint and not is_void order by seq limit $3::integer
