-- Whether the name is taken in this schema, and by what.
-- $1 text name
-- Rows: one (comment text, null when it has none), or none: the name is free
select obj_description(c.oid, 'pg_class') from pg_class c
where c.relname = $1::text and c.relnamespace = current_schema()::regnamespace
