-- The journal at a take-over: every receive that still matters, oldest first.
-- $1 smallint queue
-- Rows: lease_id bigint, low bigint, until bigint[], grp bigint[], pos bigint[], receive_count integer[], gone integer
select lease_id, low, until, grp, pos, receive_count, gone from queue_leases
where queue_id = $1::smallint order by lease_id
