-- Finds out which positions cannot be delivered any more, and forgets errors that nobody needs.
-- $1 smallint consumer, $2 integer errors to keep at most
-- Fast: the keys of the queue's journal, which holds what is under way, and queue_messages_event.
select sweep_consumer($1::smallint, $2::integer)
