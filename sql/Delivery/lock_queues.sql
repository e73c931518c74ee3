-- Locks the rows of all queues that a batch will touch, in the order of their numbers.
-- $1 smallint queue, $2 text[] names of others, $3 bigint[] numbers of messages that go back to where they died
select lock_queues($1::smallint, $2::text[], $3::bigint[])
