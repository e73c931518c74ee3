-- Writes new visibility times of a receive.
-- $1 smallint queue, $2 bigint lease, $3 bigint[] until, $4 integer gone
-- Fast: queue_leases_pkey.
update queue_leases set until = $3::bigint[], gone = $4::integer
where queue_id = $1::smallint and lease_id = $2::bigint
