-- Has a range of the log delivered to a destination again.
-- $1 text name, $2 bigint from and $3 bigint to position, $4 bigint product or null,
-- $5 smallint[] types, none for all, $6 timestamptz when
-- Rows: one: replay_no integer; none when there is no such destination
insert into destination_replays (destination_id, from_position, to_position, product_id, types, cursor, started_at)
select destination_id, $2::bigint, $3::bigint, $4::bigint, $5::smallint[], $2::bigint - 1, $6::timestamptz
from destinations where name = $1::text and removed_at is null
returning replay_no
