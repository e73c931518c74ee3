-- Forgets marks of batches that nobody can ask for any more: older than ten minutes.
-- Fast: batches_committed_at.
delete from batches where committed_at < clock_timestamp() - interval '10 minutes'
