-- Forgets all messages of a queue, unless that was done within the last minute.
-- $1 smallint queue
-- Rows: one, or none: too soon, or it is no more
select purge_queue(queue_id) from queues
where queue_id = $1::smallint and deleted_at is null
    and (purged_at is null or purged_at < clock_timestamp() - interval '60 seconds')
