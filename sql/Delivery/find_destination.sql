-- One destination by its name.
-- $1 text name
-- Rows: destination_id integer, cursor bigint, is_paused boolean, owned boolean; none when there is none
-- Fast: destinations_name.
select destination_id, cursor, is_paused, owner is not null and lease_until > clock_timestamp()
from destinations where name = $1::text and removed_at is null
