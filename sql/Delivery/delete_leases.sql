-- Removes receives that nothing needs any more.
-- $1 smallint queue, $2 bigint[] leases
-- Fast: queue_leases_pkey.
delete from queue_leases where queue_id = $1::smallint and lease_id = any ($2::bigint[])
