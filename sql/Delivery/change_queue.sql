-- Sets a queue's attributes; its owner hears of it within a second.
-- $1 smallint queue, $2 bigint visibility, $3 delay, $4 receive wait and $5 retention in microseconds, $6 integer bytes,
-- $7 text dead-letter queue, $8 integer receive count, $9 text[] redrive from, $10 boolean by content,
-- $11 boolean by group, $12 boolean high throughput, $13 timestamptz when
-- Rows: queue_id smallint, or none: it is no more
update queues set visibility_timeout = $2::bigint * interval '1 microsecond',
    delay = $3::bigint * interval '1 microsecond', receive_wait = $4::bigint * interval '1 microsecond',
    retention = $5::bigint * interval '1 microsecond', maximum_message_bytes = $6::integer,
    dead_letter_queue = $7::text, max_receive_count = $8::integer, redrive_from = $9::text[],
    deduplicates_content = $10::boolean, deduplicates_by_group = $11::boolean, has_high_throughput = $12::boolean,
    changed_at = $13::timestamptz
where queue_id = $1::smallint and deleted_at is null returning queue_id
