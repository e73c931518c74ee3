-- The destinations that a relay is needed for.
-- Rows: destination_id integer
select destination_id from destinations where removed_at is null order by destination_id
