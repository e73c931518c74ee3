-- Ends a move.
-- $1 integer move, $2 text status: COMPLETED, CANCELLED or FAILED, $3 text why it failed
-- Rows: queue_id smallint, or none: it has ended before
update queue_moves set status = $2::text, failure = $3::text, ended_at = clock_timestamp()
where move_no = $1::integer and ended_at is null returning queue_id
