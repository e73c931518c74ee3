-- When one event was recorded.
-- $1 bigint position
-- Rows: one (recorded_at timestamptz) or none
-- Fast: the events' key.
select recorded_at from events where position = $1::bigint
