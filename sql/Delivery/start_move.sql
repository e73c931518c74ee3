-- Has the messages of a dead-letter queue moved.
-- $1 smallint queue, $2 text target or null (each back to where it died), $3 integer a second or null, $4 timestamptz when
-- Rows: move_no integer, or none: one is under way
insert into queue_moves (queue_id, target, per_second, total, started_at)
select $1::smallint, $2::text, $3::integer,
    (select count(*) from queue_messages where queue_id = $1::smallint), $4::timestamptz
where not exists (select from queue_moves where queue_id = $1::smallint and ended_at is null)
returning move_no
