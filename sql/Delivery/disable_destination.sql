-- Pauses a destination by itself: it wants no more, or has not answered for days. Only its owner may, and only as it
-- knows it: an answer of an endpoint before means nothing for the one that was set since.
-- $1 integer destination, $2 bigint epoch, $3 text reason, $4 integer revision
-- Rows: name text; none when the caller no longer owns it, or it was changed
update destinations set is_paused = true, revision = revision + 1, last_error = $3::text,
    last_error_at = clock_timestamp()
where destination_id = $1::integer and epoch = $2::bigint and revision = $4::integer and removed_at is null
    and not is_paused
returning name
