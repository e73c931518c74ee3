-- Did this batch commit?
-- $1 bigint writer, $2 bigint batch number
-- Rows: one (first_position bigint, last_position bigint) or none
-- Fast: batches_pkey.
select first_position, last_position from batches where writer_no = $1::bigint and number = $2::bigint
