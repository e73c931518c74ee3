-- Products that wait, at a take-over.
-- $1 integer destination
-- Rows: replay_no integer, grp bigint, from_position bigint, is_parked boolean, failures integer, retry_at timestamptz
-- Fast: relay_holds_pkey.
select replay_no, grp, from_position, is_parked, failures, retry_at from relay_holds
where destination_id = $1::integer
