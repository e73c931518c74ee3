-- Writes which entries of receives are done.
-- $1 smallint queue, $2 bigint[] leases, $3 integer[] gone
-- Fast: queue_leases_pkey, once a lease.
update queue_leases l set gone = m.gone from unnest($2::bigint[], $3::integer[]) m (lease_id, gone)
where l.queue_id = $1::smallint and l.lease_id = m.lease_id
