-- The journal at a take-over: every receive that still matters, oldest first.
-- $1 smallint queue, $2 integer replay (0: live)
-- Rows: lease_id bigint, low bigint, until bigint[], grp bigint[], pos bigint[], receive_count integer[], gone integer
-- Fast: queue_leases_pkey.
select lease_id, low, until, grp, pos, receive_count, gone from queue_leases
where queue_id = $1::smallint and replay_no = $2::integer order by lease_id
