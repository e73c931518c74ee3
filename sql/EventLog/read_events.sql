-- Events after a position, in order: how every reader walks the log.
-- $1 bigint after this position, $2 bigint up to and with this one, $3 integer at most so many
-- Rows: an event's columns, its user's id, actor and key, its API key's public id
-- Fast: the events' key.
select e.position, e.product_id, e.recorded_at, e.user_no, e.version, e.type, e.auth, e.via, e.schema, e.request_id,
    e.request_label, e.trace, e.code, e.data_salt, e.data, u.user_id, u.actor, u.key, k.key_id
from events e join users u using (user_no) left join api_keys k using (client_no)
where e.position > $1::bigint and e.position <= $2::bigint order by e.position limit $3::integer
