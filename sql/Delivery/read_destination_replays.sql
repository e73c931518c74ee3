-- Replays to a destination that are not finished, the oldest first.
-- $1 integer destination
-- Rows: replay_no integer, from_position bigint, to_position bigint, product_id bigint, types smallint[], cursor bigint
-- Fast: destination_replays_unfinished.
select replay_no, from_position, to_position, product_id, types, cursor from destination_replays
where destination_id = $1::integer and finished_at is null order by replay_no
