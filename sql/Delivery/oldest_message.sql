-- How old the oldest of two messages is.
-- $1 smallint queue, $2 bigint position in the log or null, $3 bigint number of a message of the queue's own or null
-- Rows: one: seconds double precision, null without a message
-- Fast: the keys of events and queue_messages.
select extract(epoch from clock_timestamp() - least(
    (select recorded_at from events where position = $2::bigint),
    (select arrived_at from queue_messages where queue_id = $1::smallint and seq = $3::bigint)))::double precision
