-- Ends a queue and gives its name free; what is left of it is swept later.
-- $1 smallint queue, $2 timestamptz when
-- Rows: queue_id smallint, or none: it is no more, or was built in
update queues set deleted_at = $2::timestamptz, name = name || '#' || queue_id
where queue_id = $1::smallint and deleted_at is null and not is_built_in returning queue_id
