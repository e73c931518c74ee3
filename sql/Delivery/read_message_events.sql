-- Events by their positions, for the messages' bodies.
-- $1 bigint[] positions
-- Rows: as EventLog's read_events, in order of position
-- Fast: the events' key.
select e.position, e.product_id, e.recorded_at, e.user_no, e.version, e.type, e.auth, e.via, e.schema, e.request_id,
    e.request_label, e.trace, e.code, e.data_salt, e.data, u.user_id, u.actor, u.key, k.key_id
from events e join users u using (user_no) left join api_keys k using (client_no)
where e.position = any ($1::bigint[]) order by e.position
