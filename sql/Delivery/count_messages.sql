-- Counts the next of a queue's own messages.
-- $1 smallint queue, $2 bigint after this number, $3 integer at most so many
-- Rows: one: count bigint, last number bigint or null
-- Fast: queue_messages_pkey.
select count(*), max(seq) from (
    select seq from queue_messages
    where queue_id = $1::smallint and seq > $2::bigint and not is_void order by seq limit $3::integer) next
