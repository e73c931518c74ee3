-- Renews the owner's lease.
-- $1 smallint queue, $2 bigint epoch, $3 integer lease in milliseconds
-- Rows: epoch bigint, or none: another process owns the queue
update queues set lease_until = clock_timestamp() + $3::integer * interval '1 millisecond'
where queue_id = $1::smallint and epoch = $2::bigint returning epoch
