-- Adds a destination that gets the events after a position, by default those to come.
-- $1 text name, $2 text kind, $3 json configuration, $4 smallint[] types and $5 bigint[] products, none for all,
-- $6 bigint after this position or null, $7 timestamptz when
-- Rows: destination_id integer, cursor bigint, or none: the name is taken
insert into destinations (name, kind, configuration, event_types, product_ids, cursor, created_at)
select $1::text, $2::text,
    -- A stream that has lost everything is filled again from where its destination began.
    case $2::text when 'jetstream' then ($3::json::jsonb || jsonb_build_object('after', start.cursor))::json else $3::json end,
    $4::smallint[], $5::bigint[], start.cursor, $7::timestamptz
from (select coalesce($6::bigint, (select position from events order by position desc limit 1), 0) as cursor) start
on conflict (name) where removed_at is null do nothing
returning destination_id, cursor
