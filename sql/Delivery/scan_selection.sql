-- The next messages of a queue over a selection of the log.
-- $1 bigint after this position, $2 bigint how many positions to look at, $3 smallint[] types and $4 bigint[] products,
-- none for all, $5 integer at most so many
-- Rows: position bigint, grp bigint, in order, at the end one with a null group: how far the log was looked at
-- Fast: the events' key; the caller bounds the range.
with reach as (
    select least($1::bigint + $2::bigint,
        coalesce((select position from events order by position desc limit 1), $1::bigint)) as through
)
(select e.position, coalesce(e.product_id, 0) from events e
where e.position > $1::bigint and e.position <= (select through from reach)
    and (cardinality($3::smallint[]) = 0 or e.type = any ($3::smallint[]))
    and (cardinality($4::bigint[]) = 0 or e.product_id = any ($4::bigint[]))
order by e.position limit $5::integer)
union all
select through, null from reach
