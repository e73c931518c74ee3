-- Who fetched one product, over a stretch of its events.
-- $1 bigint product, $2 bigint after this position, $3 bigint up to and with this one, $4 integer how many of its
-- events to examine at most
-- Rows: one a user: user_no integer, fetches bigint, first and last bigint positions of his fetches (null without any),
--       highest bigint position and examined bigint events, of the whole stretch
-- Fast: events_product.
select e.user_no, count(*) filter (where e.type = 5) as fetches, min(e.position) filter (where e.type = 5) as first,
    max(e.position) filter (where e.type = 5) as last, max(max(e.position)) over () as highest,
    (sum(count(*)) over ())::bigint as examined
from (
    select position, user_no, type from events
    where product_id = $1::bigint and position > $2::bigint and position <= $3::bigint
    order by position limit $4::integer) e
group by e.user_no
