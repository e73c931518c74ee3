-- Removes a destination.
-- $1 text name, $2 timestamptz when, $3 text kind, or null: any
-- Rows: cursor bigint, or none: there is none
select cursor, remove_destination(destination_id, $2::timestamptz)::text from destinations
where name = $1::text and removed_at is null and kind = coalesce($3::text, kind)
