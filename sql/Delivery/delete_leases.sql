-- Removes receives that nothing needs any more.
-- $1 smallint queue, $2 integer replay (0: live), $3 bigint[] leases
-- Fast: queue_leases_pkey.
delete from queue_leases
where queue_id = $1::smallint and replay_no = $2::integer and lease_id = any ($3::bigint[])
