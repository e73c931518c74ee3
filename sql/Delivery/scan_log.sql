-- The next messages of a queue over the log; the group is the product, 0 for events about none.
-- $1 bigint after this position, $2 integer at most so many
-- Rows: position bigint, grp bigint, in order
-- Fast: the events' key.
select position, coalesce(product_id, 0) from events where position > $1::bigint order by position limit $2::integer
