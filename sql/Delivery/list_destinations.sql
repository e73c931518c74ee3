-- All destinations and how far they are.
-- Rows: destination_id integer, name text, kind text, configuration json, event_types smallint[], product_ids bigint[],
--       cursor bigint, revision integer, is_paused boolean, owner text (null: nobody), last_error text,
--       last_error_at timestamptz, created_at timestamptz, log's end bigint, parked bigint, held products bigint,
--       oldest event after the cursor timestamptz, failing_since timestamptz
-- Fast: few destinations; their parked events and holds by key.
select d.destination_id, d.name, d.kind, d.configuration, d.event_types, d.product_ids, d.cursor, d.revision, d.is_paused,
    case when d.lease_until > clock_timestamp() then d.owner end, d.last_error, d.last_error_at, d.created_at,
    coalesce((select position from events order by position desc limit 1), 0),
    (select count(*) from parked_events p where p.destination_id = d.destination_id and p.skipped_at is null),
    (select count(*) from relay_holds h where h.destination_id = d.destination_id),
    (select recorded_at from events e where e.position = d.cursor + 1), d.failing_since
from destinations d where d.removed_at is null order by d.name
