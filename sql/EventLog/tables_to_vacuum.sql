-- The tables whose rows live briefly, as the migrations mark them: they are never to be truncated by a vacuum.
-- Rows: name text (quoted, with its schema), dead rows bigint (an estimate), dead rows from which it is worth while
-- bigint, whether this role may vacuum it boolean (its owner may; from PostgreSQL 17 on also who has MAINTAIN)
select format('%I.%I', c.relnamespace::regnamespace, c.relname), pg_stat_get_dead_tuples(c.oid), o.threshold,
    pg_has_role(c.relowner, 'usage') or case when current_setting('server_version_num')::integer >= 170000
        then has_table_privilege(c.oid, 'maintain') else false end
from pg_class c, lateral (
    select coalesce(max(option_value) filter (where option_name = 'autovacuum_vacuum_threshold'), '5000')::bigint
            as threshold,
        bool_or(option_name = 'vacuum_truncate' and not option_value::boolean) as is_brief
    from pg_options_to_table(c.reloptions)
) o
where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and o.is_brief order by c.relname
