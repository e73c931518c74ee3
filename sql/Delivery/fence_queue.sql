-- Begins every batch of a queue's owner: fails with RS005 once another process has taken the queue over.
-- $1 smallint queue, $2 bigint epoch
select fence_queue($1::smallint, $2::bigint)
