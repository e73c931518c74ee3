-- Writes down how far a destination, or a replay to it, is.
-- $1 integer destination, $2 bigint epoch, $3 integer replay (0: live), $4 bigint cursor,
-- $5 bigint[] positions, $6 bigint[] products and $7 text[] errors of events that were parked,
-- $8 bigint[] products, $9 bigint[] first positions, $10 boolean[] is parked, $11 integer[] attempts in vain and
-- $12 timestamptz[] times of the next attempt of holds, $13 bigint[] products whose hold is over
-- Rows: one, void
select save_relay($1::integer, $2::bigint, $3::integer, $4::bigint, $5::bigint[], $6::bigint[], $7::text[], $8::bigint[],
    $9::bigint[], $10::boolean[], $11::integer[], $12::timestamptz[], $13::bigint[])::text
