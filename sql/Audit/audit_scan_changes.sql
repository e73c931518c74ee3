-- Which changes of one product pass a filter.
-- $1 bigint product, $2 integer[] users, $3 smallint[] types, $4 integer[] API keys' numbers, $5 smallint[] via,
-- $6 text[] actions of OPERATED, $7 text request label, $8 uuid request id; null or an empty array filters nothing;
-- $7 and $8 name one request, which has either
-- $9 bigint after this position, $10 bigint up to and with this one, $11 boolean from the newest,
-- $12 integer how many to examine at most
-- Rows: one: found bigint[] in order of position, lowest and highest bigint examined, examined integer
-- Fast: events_change: fetches are never touched.
select coalesce(array_agg(e.position order by e.position) filter (where event_passes(
        e.product_id, e.user_no, e.type, e.client_no, e.via, e.request_label, e.request_id, e.data,
        $1::bigint, $2::integer[], $3::smallint[], $4::integer[], $5::smallint[], $6::text[], $7::text, $8::uuid)),
        '{}'::bigint[]) as found,
    min(e.position) as lowest, max(e.position) as highest, count(*)::integer as examined
from (
    (select position, product_id, user_no, type, client_no, via, request_label, request_id, data
    from events where not $11::boolean and product_id = $1::bigint and type <= 4
        and position > $9::bigint and position <= $10::bigint
    order by position limit $12::integer)
    union all
    (select position, product_id, user_no, type, client_no, via, request_label, request_id, data
    from events where $11::boolean and product_id = $1::bigint and type <= 4
        and position > $9::bigint and position <= $10::bigint
    order by position desc limit $12::integer)
) e
