-- Adds messages to a queue, or finds the ones they repeat.
-- $1 smallint queue, $2 boolean by group, $3 uuid[] ids, $4 bigint[] groups (null: each its own), $5 text[] group ids,
-- $6 text[] deduplication ids, $7 text[] bodies, $8 bytea[] attributes, $9 bigint[] delays in microseconds,
-- $10 integer[] senders' keys
-- Rows: one a message, in order: ordinal integer, message_id uuid, seq bigint, is_duplicate boolean
select ordinal, message_id, seq, is_duplicate from send_messages($1::smallint, $2::boolean, $3::uuid[], $4::bigint[],
    $5::text[], $6::text[], $7::text[], $8::bytea[], $9::bigint[], $10::integer[])
