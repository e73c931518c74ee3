-- Writes which entries of receives are done.
-- $1 smallint queue, $2 integer replay (0: live), $3 bigint[] leases, $4 integer[] gone
-- Fast: queue_leases_pkey, once a lease.
update queue_leases l set gone = m.gone from unnest($3::bigint[], $4::integer[]) m (lease_id, gone)
where l.queue_id = $1::smallint and l.replay_no = $2::integer and l.lease_id = m.lease_id
