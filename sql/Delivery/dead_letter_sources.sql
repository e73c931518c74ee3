-- Queues whose redrive policy names a queue.
-- $1 text the dead-letter queue's name
-- Rows: name text, by name
select name from queues where dead_letter_queue = $1::text and deleted_at is null order by name
