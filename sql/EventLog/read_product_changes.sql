-- What changed one product, in order, up to a position: state is the fold of these.
-- $1 bigint product id, $2 bigint after this position, $3 bigint up to and with this one, $4 integer at most so many
-- Rows: position bigint, recorded_at timestamptz, type smallint, version integer, code text, data json
-- Fast: events_change: fetches are never touched.
select position, recorded_at, type, version, code, data
from events
where product_id = $1::bigint and type <= 4 and position > $2::bigint and position <= $3::bigint
order by position limit $4::integer
