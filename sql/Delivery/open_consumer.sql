-- The consumer of this name, made if there is none.
-- $1 text name, $2 smallint queue
-- Rows: consumer_no smallint, or none: its name or its queue belongs to another
with made as (
    insert into consumers (name, queue_id) values ($1::text, $2::smallint) on conflict do nothing returning consumer_no
)
select consumer_no from made
union all
select consumer_no from consumers where name = $1::text and queue_id = $2::smallint
