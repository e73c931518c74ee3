-- Queues with a move under way that nobody owns.
-- Rows: queue_id smallint, name text
select q.queue_id, q.name from queue_moves m join queues q using (queue_id)
where m.ended_at is null and q.deleted_at is null and (q.owner is null or q.lease_until < clock_timestamp())
