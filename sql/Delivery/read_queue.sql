-- One queue by its number, deleted ones too: what its owner must know.
-- $1 smallint queue
-- Rows: as QueueDescription reads them
-- Fast: queues_pkey.
select q.queue_id, q.name, q.is_fifo, q.over_log, q.event_types, q.product_ids, q.after_position,
    (extract(epoch from q.visibility_timeout) * 1000000)::bigint, (extract(epoch from q.delay) * 1000000)::bigint,
    (extract(epoch from q.receive_wait) * 1000000)::bigint, (extract(epoch from q.retention) * 1000000)::bigint,
    q.maximum_message_bytes, q.dead_letter_queue, q.max_receive_count, q.redrive_from, q.deduplicates_content,
    q.deduplicates_by_group, q.has_high_throughput, q.tags::text, q.is_built_in, q.created_at, q.changed_at,
    q.handle_key, q.deleted_at is not null,
    exists (select from queues d where d.name = q.dead_letter_queue and d.deleted_at is null
        and (q.is_built_in or not d.is_built_in))
from queues q where q.queue_id = $1::smallint
