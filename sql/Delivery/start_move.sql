-- Has the messages of a dead-letter queue moved.
-- $1 smallint queue, $2 text target or null (each back to where it died), $3 integer a second or null,
-- $4 bigint how many, $5 timestamptz when
-- Rows: move_no integer, or none: one is under way, or the queue is no more
insert into queue_moves (queue_id, target, per_second, total, started_at)
select queue_id, $2::text, $3::integer, $4::bigint, $5::timestamptz from queues
where queue_id = $1::smallint and deleted_at is null and not over_log
    and not exists (select from queue_moves where queue_id = $1::smallint and ended_at is null)
returning move_no
