-- Makes a queue, under a number that another one may have had: its epochs begin beyond any that its owner can have held.
-- $1 text name, $2 boolean FIFO, $3 boolean over the log, $4 smallint[] types, $5 bigint[] products, $6 bigint after
-- position, $7 bigint visibility, $8 delay, $9 receive wait and $10 retention in microseconds, $11 integer bytes,
-- $12 text dead-letter queue, $13 integer receive count, $14 text[] redrive from, $15 boolean by content,
-- $16 boolean by group, $17 boolean high throughput, $18 text tags as JSON, $19 timestamptz when
-- Rows: queue_id smallint, or none: the name is taken
insert into queues (queue_id, epoch, name, is_fifo, over_log, event_types, product_ids, after_position,
    visibility_timeout, delay, receive_wait, retention, maximum_message_bytes, dead_letter_queue, max_receive_count,
    redrive_from, deduplicates_content, deduplicates_by_group, has_high_throughput, tags, created_at, changed_at)
select next_queue_id(), coalesce((select position from events order by position desc limit 1), 0) << 16, $1::text,
    $2::boolean, $3::boolean, $4::smallint[], $5::bigint[], $6::bigint, $7::bigint * interval '1 microsecond',
    $8::bigint * interval '1 microsecond', $9::bigint * interval '1 microsecond',
    $10::bigint * interval '1 microsecond', $11::integer, $12::text, $13::integer, $14::text[], $15::boolean,
    $16::boolean, $17::boolean, $18::text::jsonb, $19::timestamptz, $19::timestamptz
where not exists (select from queues where name = $1::text)
on conflict (name) do nothing returning queue_id
