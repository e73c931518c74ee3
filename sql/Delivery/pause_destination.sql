-- Pauses a destination or lets it go on. Its owner ends within a second: it waits for what is under way and writes it
-- down; nobody else may take the destination before that, or before his lease is over.
-- $1 text name, $2 boolean paused
-- Rows: destination_id integer, or none: there is none, or it is so already
-- Fast: destinations_name.
update destinations set is_paused = $2::boolean, revision = revision + 1,
    failing_since = case when $2::boolean then failing_since end
where name = $1::text and removed_at is null and is_paused <> $2::boolean
returning destination_id
