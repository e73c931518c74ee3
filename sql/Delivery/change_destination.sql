-- Changes a destination; its owner begins anew with what is set here.
-- $1 integer destination, $2 json configuration, $3 smallint[] types and $4 bigint[] products, none for all,
-- $5 boolean is paused
update destinations set configuration =
    -- A stream must know from where its filter counts: where the next owner begins.
    case when kind = 'jetstream' and (event_types, product_ids) is distinct from ($3::smallint[], $4::bigint[])
        then ($2::json::jsonb || '{"selectedAfter": null}')::json else $2::json end,
    event_types = $3::smallint[], product_ids = $4::bigint[],
    is_paused = $5::boolean, failing_since = case when $5::boolean then failing_since end, revision = revision + 1
where destination_id = $1::integer
