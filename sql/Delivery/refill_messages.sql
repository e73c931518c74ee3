-- The next of a queue's own messages in one group.
-- $1 smallint queue, $2 bigint group, $3 bigint from and $4 bigint through number, $5 integer at most so many
-- Rows: seq bigint, visible_at timestamptz, in order
-- Fast: queue_messages_group.
select seq, visible_at from queue_messages
where queue_id = $1::smallint and grp = $2::bigint and seq >= $3::bigint and seq <= $4::bigint and not is_void
order by seq limit $5::integer
