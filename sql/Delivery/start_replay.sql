-- Has a range of the log delivered to a queue again.
-- $1 text queue's name, $2 bigint from and $3 bigint to position, $4 bigint product or null,
-- $5 smallint[] types, none for all, $6 timestamptz when
-- Rows: one: replay_no integer; none when there is no such queue
insert into queue_replays (queue_id, from_position, to_position, product_id, types, started_at)
select queue_id, $2::bigint, $3::bigint, $4::bigint, $5::smallint[], $6::timestamptz from queues where name = $1::text
returning replay_no
