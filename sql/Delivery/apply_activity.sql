-- Counts events, each once in effect however often it is delivered.
-- $1 bigint[] positions
-- Rows: one: integer how many were new
select apply_activity($1::bigint[])
