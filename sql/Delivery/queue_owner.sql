-- Who owns a queue.
-- $1 smallint queue
-- Rows: one (owner text, owner_address text), or none: nobody does, or the owner gave no sign for too long
-- Fast: queues_pkey.
select owner, owner_address from queues
where queue_id = $1::smallint and owner is not null and lease_until > clock_timestamp() and deleted_at is null
