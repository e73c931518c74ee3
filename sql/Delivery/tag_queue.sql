-- Sets and removes tags of a queue, at most 50 in all.
-- $1 smallint queue, $2 text set as JSON, $3 text[] removed
-- Rows: queue_id smallint, or none: it is no more, or that would be too many
update queues set tags = (tags - $3::text[]) || $2::text::jsonb
where queue_id = $1::smallint and deleted_at is null
    and (select count(*) from jsonb_object_keys((tags - $3::text[]) || $2::text::jsonb)) <= 50
returning queue_id
