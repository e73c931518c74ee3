-- Forgets applied positions that cannot be delivered again, a bounded number at a time.
-- $1 smallint consumer, $2 integer at most so many
-- Rows: one: bigint how many
-- Fast: consumer_inbox_pkey.
select forget_applied($1::smallint, $2::integer)
