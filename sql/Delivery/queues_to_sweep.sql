-- Queues that may hold messages of their own, deleted ones too.
-- Rows: queue_id smallint, is_deleted boolean
-- Fast: queue_messages_pkey and queue_deduplication_pkey, once a queue.
select queue_id, deleted_at is not null from queues q
where deleted_at is not null
    or (select seq from queue_messages m where m.queue_id = q.queue_id order by seq limit 1) is not null
    or (select 1 from queue_deduplication d where d.queue_id = q.queue_id order by grp, deduplication_id limit 1) is not null
