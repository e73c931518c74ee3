-- Puts events into a consumer's inbox; a sweep waits until the transaction ends.
-- $1 smallint consumer, $2 bigint[] positions
-- Rows: one: bigint[] those that are to be applied in this transaction, in order
-- Fast: consumer_inbox_pkey, once a position.
select admit_events($1::smallint, $2::bigint[])
