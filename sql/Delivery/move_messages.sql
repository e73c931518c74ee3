-- Moves messages to another queue, or each back to where it died, and counts them.
-- $1 smallint queue, $2 bigint[] numbers, $3 text target or null, $4 integer move
update queue_moves set moved = moved + move_messages($1::smallint, $2::bigint[], $3::text) where move_no = $4::integer
