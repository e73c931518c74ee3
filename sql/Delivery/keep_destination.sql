-- Renews the owner's lease and keeps what last went wrong.
-- $1 integer destination, $2 bigint epoch, $3 integer lease in milliseconds, $4 text error or null (none since)
-- Rows: one: revision integer; or none: the caller no longer owns it
update destinations set lease_until = clock_timestamp() + $3::integer * interval '1 millisecond',
    last_error = coalesce($4::text, last_error),
    last_error_at = case when $4::text is null then last_error_at else clock_timestamp() end
where destination_id = $1::integer and epoch = $2::bigint and removed_at is null and not is_paused
returning revision
