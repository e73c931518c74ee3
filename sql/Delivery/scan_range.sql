-- The next messages of a replay; the group is the product, 0 for events about none.
-- $1 bigint after and $2 bigint through position, $3 smallint[] types, none for all, $4 integer at most so many
-- Rows: position bigint, grp bigint, in order
-- Fast: the events' key; the caller bounds the range.
select position, coalesce(product_id, 0) from events
where position > $1::bigint and position <= $2::bigint
    and (cardinality($3::smallint[]) = 0 or type = any ($3::smallint[]))
order by position limit $4::integer
