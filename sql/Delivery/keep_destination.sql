-- Renews the owner's lease and keeps what last went wrong, and since when the destination fails as a whole.
-- $1 integer destination, $2 bigint epoch, $3 text owner, $4 integer lease in milliseconds,
-- $5 text error or null (none since), $6 boolean it fails as a whole, null: not asked since
-- Rows: one: revision integer, is_paused boolean, failing_since timestamptz; or none: the caller no longer owns it
update destinations set lease_until = clock_timestamp() + $4::integer * interval '1 millisecond',
    last_error = coalesce($5::text, last_error),
    last_error_at = case when $5::text is null then last_error_at else clock_timestamp() end,
    failing_since = case $6::boolean when true then coalesce(failing_since, clock_timestamp()) when false then null
        else failing_since end
where destination_id = $1::integer and epoch = $2::bigint and owner = $3::text and removed_at is null
returning revision, is_paused, failing_since
