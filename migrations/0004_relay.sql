-- Destinations outside, to which the relay hands the log on.
--
-- An event on its way out has no row: a destination has a cursor, and everything up to it was accepted, was refused for
-- good (parked), or waits behind such an event or for room (a hold, one row a product however much it stands for).
--   RS005  the caller no longer owns the destination

create table destinations (
    destination_id integer primary key generated always as identity,
    name text collate "C" not null check (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$'),
    kind text collate "C" not null check (kind in ('sqs', 'jetstream')),
    -- Where and how; never a secret.
    configuration json not null,
    -- Only events of these types and about these products; none for all.
    event_types smallint[] not null default '{}',
    product_ids bigint[] not null default '{}',
    cursor bigint not null check (cursor >= 0),
    -- Raised at every take-over; every write of the owner compares it.
    epoch bigint not null default 0,
    owner text collate "C",
    lease_until timestamptz,
    -- Raised at every change: the owner then begins anew with what is set.
    revision integer not null default 1,
    is_paused boolean not null default false,
    last_error text,
    last_error_at timestamptz,
    created_at timestamptz not null,
    -- A removed destination has given its name free.
    removed_at timestamptz
);
create unique index destinations_name on destinations (name) where removed_at is null;

-- Ranges of the log that go to a destination again. The live cursor does not move.
create table destination_replays (
    replay_no integer primary key generated always as identity,
    destination_id integer not null references destinations (destination_id),
    from_position bigint not null check (from_position > 0),
    to_position bigint not null check (to_position >= from_position),
    product_id bigint,
    -- Only these; none for all.
    types smallint[] not null,
    cursor bigint not null,
    started_at timestamptz not null,
    finished_at timestamptz
);
create index destination_replays_unfinished on destination_replays (destination_id) where finished_at is null;

-- In these, replay_no is 0 for the log as it grows, and grp is the product, 0 for events about none.
create table relay_holds (
    destination_id integer not null references destinations (destination_id),
    replay_no integer not null,
    grp bigint not null,
    -- Its first event that is not delivered.
    from_position bigint not null,
    -- Waits for an operator; else for room, or for the destination to take this product's events again.
    is_parked boolean not null,
    -- An operator let it go on, and the owner has not seen it yet.
    is_released boolean not null default false,
    primary key (destination_id, replay_no, grp)
);
create index relay_holds_released on relay_holds (destination_id) where is_released;

create table parked_events (
    destination_id integer not null references destinations (destination_id),
    replay_no integer not null,
    position bigint not null,
    grp bigint not null,
    error text not null,
    parked_at timestamptz not null,
    -- Never to be delivered.
    skipped_at timestamptz,
    primary key (destination_id, replay_no, position)
);

-- Fences a write of a destination's owner, and keeps a take-over waiting until it has committed.
create function fence_destination(destination integer, its_epoch bigint) returns void language plpgsql
set search_path from current as $$
begin
    perform from destinations
    where destination_id = destination and epoch = its_epoch and removed_at is null and not is_paused
    for no key update;
    if not found then
        raise exception using errcode = 'RS005', message = 'this process no longer owns the destination';
    end if;
end $$;

-- Writes down how far a destination, or a replay to it, is: fenced, and all or nothing. A cursor never goes back.
create function save_relay(destination integer, its_epoch bigint, replay integer, its_cursor bigint,
    parked_positions bigint[], parked_groups bigint[], parked_errors text[],
    hold_groups bigint[], hold_positions bigint[], hold_parked boolean[], ended_groups bigint[])
returns void language plpgsql set search_path from current as $$
#variable_conflict use_column
begin
    perform fence_destination(destination, its_epoch);
    if replay = 0 then
        update destinations set cursor = its_cursor where destination_id = destination and cursor < its_cursor;
    else
        update destination_replays set cursor = its_cursor where replay_no = replay and cursor < its_cursor;
    end if;
    insert into parked_events (destination_id, replay_no, position, grp, error, parked_at)
    select destination, replay, p.position, p.grp, p.error, clock_timestamp()
    from unnest(parked_positions, parked_groups, parked_errors) p (position, grp, error)
    on conflict (destination_id, replay_no, position)
    do update set error = excluded.error, parked_at = excluded.parked_at, skipped_at = null;
    insert into relay_holds (destination_id, replay_no, grp, from_position, is_parked)
    select destination, replay, h.grp, h.position, h.parked
    from unnest(hold_groups, hold_positions, hold_parked) h (grp, position, parked)
    on conflict (destination_id, replay_no, grp)
    do update set from_position = excluded.from_position, is_parked = excluded.is_parked, is_released = false;
    delete from relay_holds
    where destination_id = destination and replay_no = replay and grp = any (ended_groups);
end $$;

-- Forgets what a removed destination still had to get. Its parked events stay as they were.
create function remove_destination(destination integer, at timestamptz) returns void language plpgsql
set search_path from current as $$
begin
    update destinations set removed_at = at, revision = revision + 1, owner = null, lease_until = null
    where destination_id = destination;
    update destination_replays set finished_at = at where destination_id = destination and finished_at is null;
    delete from relay_holds where destination_id = destination;
end $$;

-- What the serving role may do, besides what stands in 0003: it makes, changes and removes destinations too.
create or replace function grant_serving(role_name name) returns void language plpgsql
set search_path from current as $$
begin
    execute format('grant usage on schema %I to %I', current_schema(), role_name);
    execute format('grant select on all tables in schema %I to %I', current_schema(), role_name);
    execute format('grant usage on all sequences in schema %I to %I', current_schema(), role_name);
    execute format('grant insert on events, users, api_keys, writers to %I', role_name);
    execute format('grant update (lock_only) on log_head to %I', role_name);
    execute format('grant update (epoch) on writers to %I', role_name);
    execute format('grant insert, delete on batches to %I', role_name);
    execute format('grant insert, update, delete on products, queue_leases, queue_pending, queue_messages, '
        'queue_deduplication, product_activity, user_activity, activity_inbox to %I', role_name);
    execute format('grant update on activity_swept to %I', role_name);
    execute format('grant insert, delete on queues to %I', role_name);
    execute format('grant update (name, epoch, owner, lease_until, owner_address, visibility_timeout, delay, '
        'receive_wait, retention, maximum_message_bytes, dead_letter_queue, max_receive_count, redrive_from, '
        'deduplicates_content, deduplicates_by_group, has_high_throughput, tags, changed_at, purged_at, '
        'purged_through, deleted_at) on queues to %I', role_name);
    execute format('grant insert, update, delete on queue_replays, queue_moves to %I', role_name);
    execute format('grant insert on destinations to %I', role_name);
    execute format('grant update (configuration, event_types, product_ids, cursor, epoch, owner, lease_until, revision, '
        'is_paused, last_error, last_error_at, removed_at) on destinations to %I', role_name);
    execute format('grant insert, update, delete on destination_replays, relay_holds, parked_events to %I', role_name);
    execute format('grant execute on function lock_head, append_fetches, ensure_partitions, end_api_key, '
        'renew_api_key, fence_queue, lock_queues, apply_activity, sweep_activity_inbox, send_messages, last_message, '
        'bury_messages, move_messages, sweep_messages, purge_queue, forget_queue, fence_destination, save_relay, '
        'remove_destination to %I', role_name);
end $$;

revoke execute on function fence_destination, save_relay, remove_destination from public;
