-- Moves messages that were received too often to the dead-letter queue.
-- $1 smallint queue, $2 integer source as in queue_leases, $3 bigint[] positions, $4 bigint[] groups, $5 integer[] counts,
-- $6 uuid[] message ids
select bury_messages($1::smallint, $2::integer, $3::bigint[], $4::bigint[], $5::integer[], $6::uuid[])
