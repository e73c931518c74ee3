-- Products that an operator let go on and the owner does not know of yet.
-- $1 integer destination
-- Rows: replay_no integer, grp bigint, from_position bigint
-- Fast: relay_holds_released.
select replay_no, grp, from_position from relay_holds where destination_id = $1::integer and is_released
