-- Removes messages of a queue whose time is over, a bounded number at a time.
-- $1 smallint queue, $2 integer at most so many
-- Rows: one: bigint how many rows went
select sweep_messages($1::smallint, $2::integer)
