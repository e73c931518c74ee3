-- The next events about no product for a destination, but those that an operator skipped.
-- $1 integer destination, $2 integer replay (0: live), $3 bigint from and $4 bigint through position,
-- $5 smallint[] types, none for all, $6 integer at most so many
-- Rows: as EventLog's read_events
-- Fast: events_product (product_id is null).
select e.position, e.product_id, e.recorded_at, e.user_no, e.version, e.type, e.auth, e.via, e.schema, e.request_id,
    e.request_label, e.trace, e.code, e.data_salt, e.data, u.user_id, u.actor, u.key, k.key_id
from events e join users u using (user_no) left join api_keys k using (client_no)
where e.product_id is null and e.position >= $3::bigint and e.position <= $4::bigint
    and (cardinality($5::smallint[]) = 0 or e.type = any ($5::smallint[]))
    and not exists (select from parked_events p where p.destination_id = $1::integer and p.replay_no = $2::integer
        and p.position = e.position and p.skipped_at is not null)
order by e.position limit $6::integer
