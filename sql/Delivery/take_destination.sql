-- Takes a destination over if nobody holds it, and makes the former owner's writes fail from here on.
-- $1 integer destination, $2 text owner, $3 integer lease in milliseconds
-- Rows: one: epoch bigint, name text, kind text, configuration json, event_types smallint[], product_ids bigint[],
--       cursor bigint, revision integer; or none: it is held, paused, or removed
update destinations set epoch = epoch + 1, owner = $2::text,
    lease_until = clock_timestamp() + $3::integer * interval '1 millisecond',
    -- The first owner with a changed filter: see change_destination.sql.
    configuration = case when configuration::jsonb -> 'selectedAfter' = 'null'::jsonb
        then (configuration::jsonb || jsonb_build_object('selectedAfter', cursor))::json else configuration end
where destination_id = $1::integer and removed_at is null and not is_paused
    and (owner is null or owner = $2::text or lease_until < clock_timestamp())
returning epoch, name, kind, configuration, event_types, product_ids, cursor, revision
