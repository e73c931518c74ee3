-- When some events were recorded and which version each made or saw.
-- $1 bigint[] positions
-- Rows: position bigint, recorded_at timestamptz, version integer
-- Fast: the events' key.
select position, recorded_at, version from events where position = any ($1::bigint[])
