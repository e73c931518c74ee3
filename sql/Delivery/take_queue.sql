-- Takes a queue over if nobody holds it, and makes the former owner's batches fail from here on.
-- $1 smallint queue, $2 text owner, $3 integer lease in milliseconds, $4 text address of the owner's gateway or null
-- Rows: one: epoch bigint, the database's time timestamptz; or none: it is held, or is no more
update queues set epoch = epoch + 1, owner = $2::text, owner_address = $4::text, owner_pid = pg_backend_pid(),
    owner_since = (select backend_start from pg_stat_activity where pid = pg_backend_pid()),
    lease_until = clock_timestamp() + $3::integer * interval '1 millisecond'
where queue_id = $1::smallint and deleted_at is null
    and (owner is null or owner = $2::text or lease_until < clock_timestamp())
returning epoch, clock_timestamp()
