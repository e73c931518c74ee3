-- Pauses a destination or lets it go on. Its owner can write no more from here on; nobody else may take it before his
-- lease is over, as he may still be sending.
-- $1 text name, $2 boolean paused
-- Rows: destination_id integer, or none: there is none, or it is so already
-- Fast: destinations_name.
update destinations set is_paused = $2::boolean, revision = revision + 1
where name = $1::text and removed_at is null and is_paused <> $2::boolean
returning destination_id
