-- Writes new visibility times of a receive, and counts of what was given back as not received.
-- $1 smallint queue, $2 integer replay (0: live), $3 bigint lease, $4 bigint[] until, $5 integer gone,
-- $6 integer[] receive counts
-- Fast: queue_leases_pkey.
update queue_leases set until = $4::bigint[], gone = $5::integer, receive_count = $6::integer[]
where queue_id = $1::smallint and replay_no = $2::integer and lease_id = $3::bigint
