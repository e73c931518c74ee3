-- Pauses a destination by itself: it wants no more, or has not answered for days. Only its owner may.
-- $1 integer destination, $2 bigint epoch, $3 text reason
-- Rows: name text; none when the caller no longer owns it
update destinations set is_paused = true, revision = revision + 1, last_error = $3::text,
    last_error_at = clock_timestamp()
where destination_id = $1::integer and epoch = $2::bigint and removed_at is null and not is_paused
returning name
