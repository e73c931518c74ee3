-- Forgets applied positions that cannot be delivered again.
-- $1 smallint queue
-- Rows: one: bigint how many
select sweep_activity_inbox($1::smallint)
