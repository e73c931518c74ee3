-- Gives a destination up, so that another may take it at once.
-- $1 integer destination, $2 bigint epoch, $3 text error or null
update destinations set owner = null, lease_until = null, last_error = coalesce($3::text, last_error),
    last_error_at = case when $3::text is null then last_error_at else clock_timestamp() end
where destination_id = $1::integer and epoch = $2::bigint
