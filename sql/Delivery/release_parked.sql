-- Lets a product go on whose event was parked: with that event again, or, skipped, with the next. It goes on once none of
-- its events is parked.
-- $1 text destination's name, $2 bigint position, $3 boolean skip
-- Rows: replay_no integer, grp bigint; none when it is not parked
-- Fast: parked_events_pkey, relay_holds_pkey.
with found as (
    select p.destination_id, p.replay_no, p.position, p.grp
    from parked_events p join destinations d using (destination_id)
    where d.name = $1::text and d.removed_at is null and p.position = $2::bigint and p.skipped_at is null
), skipped as (
    update parked_events p set skipped_at = clock_timestamp() from found f
    where $3::boolean and (p.destination_id, p.replay_no, p.position) = (f.destination_id, f.replay_no, f.position)
), gone as (
    delete from parked_events p using found f
    where not $3::boolean and (p.destination_id, p.replay_no, p.position) = (f.destination_id, f.replay_no, f.position)
), released as (
    update relay_holds h set is_parked = false, is_released = true from found f
    where (h.destination_id, h.replay_no, h.grp) = (f.destination_id, f.replay_no, f.grp) and h.is_parked
        and not exists (select from parked_events o where o.destination_id = f.destination_id
            and o.replay_no = f.replay_no and o.grp = f.grp and o.position <> f.position and o.skipped_at is null)
)
select replay_no, grp from found
