-- Queues that may hold messages of their own, deleted ones too.
-- Rows: queue_id smallint, is_deleted boolean
select queue_id, deleted_at is not null from queues q
where deleted_at is not null or exists (select from queue_messages m where m.queue_id = q.queue_id)
    or exists (select from queue_deduplication d where d.queue_id = q.queue_id)
