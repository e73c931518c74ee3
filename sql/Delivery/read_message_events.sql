-- Events by their positions, for the messages' bodies.
-- $1 bigint[] positions
-- Rows: as EventLog's read_events
-- Fast: the events' key, once a position: a plan made while the table was small stays right when it has grown.
select e.position, e.product_id, e.recorded_at, e.user_no, e.version, e.type, e.auth, e.via, e.schema, e.request_id,
    e.request_label, e.trace, e.code, e.data_salt, e.data, u.user_id, u.actor, u.key,
    (select key_id from api_keys k where k.client_no = e.client_no)
from unnest($1::bigint[]) wanted (position)
    cross join lateral (select * from events v where v.position = wanted.position limit 1) e
    cross join lateral (select * from users x where x.user_no = e.user_no limit 1) u
