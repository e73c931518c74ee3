-- Removes rows of messages that were deleted. The newest stays without its content, so that no number is given twice.
-- $1 smallint queue, $2 bigint[] numbers
-- Fast: queue_messages_pkey.
select remove_messages($1::smallint, $2::bigint[])
