-- Takes a queue over if nobody holds it, and makes the former owner's batches fail from here on.
-- $1 smallint queue, $2 text owner, $3 integer lease in milliseconds
-- Rows: one (epoch bigint, visibility_timeout in microseconds bigint, max_receive_count integer), or none: it is held
update queues set epoch = epoch + 1, owner = $2::text,
    lease_until = clock_timestamp() + $3::integer * interval '1 millisecond'
where queue_id = $1::smallint and (owner is null or owner = $2::text or lease_until < clock_timestamp())
returning epoch, (extract(epoch from visibility_timeout) * 1000000)::bigint, max_receive_count
