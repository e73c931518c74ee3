-- Changes of many products, product by product: what a rebuild folds.
-- $1 bigint product id and $2 bigint position to go on after, $3 bigint up to and with this position,
-- $4 integer at most so many
-- Rows: position bigint, recorded_at timestamptz, type smallint, version integer, code text, data json,
--       product_id bigint; by product, then position
-- Fast: events_change alone: fetches are never touched.
select position, recorded_at, type, version, code, data, product_id
from events
where type <= 4 and (product_id, position) > ($1::bigint, $2::bigint) and position <= $3::bigint
order by product_id, position limit $4::integer
