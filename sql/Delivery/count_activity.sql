-- Adds events to the activity tables.
-- $1 bigint[] positions that were not counted before
-- Fast: the events' key.
select count_activity($1::bigint[])
