-- A destination that is about to be changed.
-- $1 text name
-- Rows: destination_id integer, name text, kind text, configuration json, event_types smallint[], product_ids bigint[],
--       cursor bigint, is_paused boolean; none when there is none
-- Fast: destinations_name.
select destination_id, name, kind, configuration, event_types, product_ids, cursor, is_paused from destinations
where name = $1::text and removed_at is null for no key update
