-- Webhooks: destinations of a third kind, whose retries take days and outlive their owner.

alter table destinations drop constraint destinations_kind_check;
alter table destinations add constraint destinations_kind_check check (kind in ('sqs', 'jetstream', 'webhook'));
-- Since when the destination as a whole gives no proper answer; null while it answers.
alter table destinations add column failing_since timestamptz;

-- How often the group's first event was tried in vain, and when it is tried again; null: as soon as there is room.
alter table relay_holds
    add column failures integer not null default 0,
    add column retry_at timestamptz;

-- Fences a write of a destination's owner, and keeps a take-over waiting until it has committed. The owner of a
-- destination that was paused meanwhile still writes down what it delivered.
create or replace function fence_destination(destination integer, its_epoch bigint) returns void language plpgsql
set search_path from current as $$
begin
    perform from destinations
    where destination_id = destination and epoch = its_epoch and removed_at is null for no key update;
    if not found then
        raise exception using errcode = 'RS005', message = 'this process no longer owns the destination';
    end if;
end $$;

-- Beside the one of a server that is not replaced yet: servers are, one after the other. Writes down how far a destination, or a replay to it, is: fenced, and all or nothing. A cursor never goes back.
create function save_relay(destination integer, its_epoch bigint, replay integer, its_cursor bigint,
    parked_positions bigint[], parked_groups bigint[], parked_errors text[],
    hold_groups bigint[], hold_positions bigint[], hold_parked boolean[], hold_failures integer[],
    hold_retries timestamptz[], ended_groups bigint[])
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
    insert into relay_holds (destination_id, replay_no, grp, from_position, is_parked, failures, retry_at)
    select destination, replay, h.grp, h.position, h.parked, h.failures, h.retry_at
    from unnest(hold_groups, hold_positions, hold_parked, hold_failures, hold_retries)
        h (grp, position, parked, failures, retry_at)
    on conflict (destination_id, replay_no, grp)
    do update set from_position = excluded.from_position, is_parked = excluded.is_parked,
        failures = excluded.failures, retry_at = excluded.retry_at, is_released = false;
    delete from relay_holds
    where destination_id = destination and replay_no = replay and grp = any (ended_groups);
end $$;

-- What the serving role may do, part by part: a later migration replaces the part that it changes.
create function grant_log(role_name name) returns void language plpgsql set search_path from current as $$
begin
    execute format('grant insert on events, users, api_keys, writers to %I', role_name);
    execute format('grant update (lock_only) on log_head to %I', role_name);
    execute format('grant update (epoch) on writers to %I', role_name);
    execute format('grant insert, delete on batches to %I', role_name);
    execute format('grant insert, update, delete on products to %I', role_name);
    execute format('grant execute on function lock_head, append_fetches, ensure_partitions, end_api_key, '
        'renew_api_key to %I', role_name);
end $$;

create function grant_queues(role_name name) returns void language plpgsql set search_path from current as $$
begin
    execute format('grant insert, update, delete on queue_leases, queue_pending, queue_messages, queue_deduplication, '
        'queue_replays, queue_moves to %I', role_name);
    execute format('grant insert, delete on queues to %I', role_name);
    execute format('grant update (name, epoch, owner, lease_until, owner_address, visibility_timeout, delay, '
        'receive_wait, retention, maximum_message_bytes, dead_letter_queue, max_receive_count, redrive_from, '
        'deduplicates_content, deduplicates_by_group, has_high_throughput, tags, changed_at, purged_at, '
        'purged_through, deleted_at) on queues to %I', role_name);
    execute format('grant execute on function fence_queue, lock_queues, send_messages, last_message, bury_messages, '
        'move_messages, sweep_messages, purge_queue, forget_queue to %I', role_name);
end $$;

create function grant_consumers(role_name name) returns void language plpgsql set search_path from current as $$
begin
    execute format('grant insert, update, delete on product_activity, user_activity, activity_inbox to %I', role_name);
    execute format('grant update on activity_swept to %I', role_name);
    execute format('grant execute on function apply_activity, sweep_activity_inbox to %I', role_name);
end $$;

create function grant_relay(role_name name) returns void language plpgsql set search_path from current as $$
begin
    execute format('grant insert on destinations to %I', role_name);
    execute format('grant update (configuration, event_types, product_ids, cursor, epoch, owner, lease_until, revision, '
        'is_paused, last_error, last_error_at, failing_since, removed_at) on destinations to %I', role_name);
    execute format('grant insert, update, delete on destination_replays, relay_holds, parked_events to %I', role_name);
    execute format('grant execute on function fence_destination, save_relay(integer, bigint, integer, bigint, bigint[], '
        'bigint[], text[], bigint[], bigint[], boolean[], integer[], timestamptz[], bigint[]), remove_destination to %I',
        role_name);
end $$;

-- Run by the owner after every migration.
create or replace function grant_serving(role_name name) returns void language plpgsql
set search_path from current as $$
begin
    execute format('grant usage on schema %I to %I', current_schema(), role_name);
    execute format('grant select on all tables in schema %I to %I', current_schema(), role_name);
    execute format('grant usage on all sequences in schema %I to %I', current_schema(), role_name);
    perform grant_log(role_name), grant_queues(role_name), grant_consumers(role_name), grant_relay(role_name);
end $$;

revoke execute on function save_relay(integer, bigint, integer, bigint, bigint[], bigint[], text[], bigint[], bigint[],
    boolean[], integer[], timestamptz[], bigint[]), grant_log, grant_queues, grant_consumers, grant_relay from public;
