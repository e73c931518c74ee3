-- Removes rows of messages that were deleted. The newest stays, so that no number is given twice.
-- $1 smallint queue, $2 bigint[] numbers
-- Fast: queue_messages_pkey.
delete from queue_messages
where queue_id = $1::smallint and seq = any ($2::bigint[]) and seq < last_message($1::smallint)
