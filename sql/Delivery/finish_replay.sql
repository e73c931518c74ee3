-- Ends a replay whose last message was deleted, and removes what is left of its journal.
-- $1 smallint queue, $2 integer replay
with leases as (
    delete from queue_leases where queue_id = $1::smallint and replay_no = $2::integer
), pending as (
    delete from queue_pending where queue_id = $1::smallint and replay_no = $2::integer
)
update queue_replays set finished_at = clock_timestamp() where replay_no = $2::integer
