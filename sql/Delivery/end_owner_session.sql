-- Ends the session of an owner whose lease is over: a batch of which only a part arrived holds the queue's row for as long
-- as its process is frozen, whatever the time-outs.
-- $1 smallint queue
-- Rows: boolean, or none: there is no such session
-- Fast: queues_pkey.
select pg_terminate_backend(a.pid)
from queues q join pg_stat_activity a on a.pid = q.owner_pid and a.backend_start = q.owner_since
where q.queue_id = $1::smallint and q.lease_until < clock_timestamp() and a.pid <> pg_backend_pid()
