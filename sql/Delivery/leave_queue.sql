-- Gives a queue up, so that another process need not wait for the lease to end.
-- $1 smallint queue, $2 bigint epoch
update queues set owner = null, owner_address = null, owner_pid = null, owner_since = null, lease_until = null
where queue_id = $1::smallint and epoch = $2::bigint
