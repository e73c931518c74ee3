-- Generated from migrations/ by SchemaDumpTests; do not edit.

CREATE SCHEMA rastro;

CREATE FUNCTION rastro.admit_events(consumer smallint, positions bigint[]) RETURNS bigint[]
    LANGUAGE plpgsql
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
declare
    swept bigint;
    fresh bigint[];
    late bigint[];
begin
    -- A sweep waits until those who apply are done. Not by a lock on the row: two who take turns in sharing that would
    -- keep a sweep waiting for ever.
    perform pg_advisory_xact_lock_shared(1919906675, consumer);
    select swept_through into strict swept from consumers where consumer_no = consumer;
    with added as (
        insert into consumer_inbox (consumer_no, position)
        select consumer, p from (select distinct p from unnest(positions) p where p > swept order by p) given
        on conflict do nothing returning position
    )
    select array_agg(position order by position) into fresh from added;
    if exists (select from unnest(positions) p where p <= swept) then
        with taken as (
            delete from consumer_unapplied
            where consumer_no = consumer and position = any (positions) and position <= swept returning position
        )
        select array_agg(position order by position) into late from taken;
    end if;
    return coalesce(late, '{}') || coalesce(fresh, '{}');
end $$;

CREATE FUNCTION rastro.append_fetches(writer bigint, its_epoch bigint, program integer, batch_number bigint, people text[], keys integer[], generations integer[], ids bigint[], caller integer[], auths smallint[], vias smallint[], schema_version smallint, request_ids uuid[], request_labels text[], traces bytea[]) RETURNS TABLE("position" bigint, id bigint, version integer, code text, name text, model text, price bigint, url text, expires_at timestamp with time zone, created_at timestamp with time zone, updated_at timestamp with time zone, removed boolean)
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_column
declare
    head record;
    numbers integer[];
begin
    perform from products p where p.id = any (ids);    -- reads cold pages before the lock is taken
    select * into head from lock_head(writer, its_epoch, program);
    select array_agg(u.user_no order by c.ord) into numbers
    from unnest(people, keys, generations) with ordinality c (user_id, client_no, generation, ord)
    join users u on u.user_id = c.user_id
    where c.client_no = 0 or exists (
        select from api_keys k where k.client_no = c.client_no and k.generation = c.generation
            and k.revoked_at is null and (k.expires_at is null or k.expires_at > head.clock));
    if coalesce(cardinality(numbers), 0) <> cardinality(people) then
        return;
    end if;
    insert into batches values
        (writer, batch_number, head.last_position + 1, head.last_position + cardinality(ids), head.clock);
    return query
    with seen as materialized (
        select f.ord, f.id as asked, f.caller, f.auth, f.via, f.request_id, f.label, f.trace,
            p.id, p.code, p.name, p.model, p.price, p.url, p.expires_at, p.created_at, p.updated_at,
            -- A product whose time is over is gone, though its end may not be written yet.
            p.removed or coalesce(p.expires_at <= head.next_time, false) as removed,
            p.version + (not p.removed and coalesce(p.expires_at <= head.next_time, false))::integer as version
        from unnest(ids, caller, auths, vias, request_ids, request_labels, traces)
            with ordinality f (id, caller, auth, via, request_id, label, trace, ord)
        left join products p on p.id = f.id
    ), appended as (
        insert into events (position, product_id, recorded_at, user_no, client_no, version, type, auth, via, schema,
            request_id, request_label, trace, code)
        select head.last_position + s.ord, s.asked, head.next_time + (s.ord - 1) * interval '1 microsecond',
            numbers[s.caller], nullif(keys[s.caller], 0),
            case when s.removed is false then s.version end,
            case when s.removed is false then 5 else 6 end,
            s.auth, s.via, schema_version, s.request_id, s.label, s.trace,
            case when s.removed is false then s.code end
        from seen s
    )
    select head.last_position + s.ord, s.asked, s.version, s.code, s.name, s.model, (s.price * 10000)::bigint, s.url,
        s.expires_at, s.created_at, s.updated_at, s.removed
    from seen s order by s.ord;
end $$;

CREATE FUNCTION rastro.apply_activity(positions bigint[]) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
declare
    fresh bigint[];
begin
    select admit_events(consumer_no, positions) into fresh from consumers where name = 'activity';
    if coalesce(cardinality(fresh), 0) > 0 then
        perform count_activity(fresh);
    end if;
    return coalesce(cardinality(fresh), 0);
end $$;

CREATE FUNCTION rastro.bury_messages(queue smallint, source integer, positions bigint[], grps bigint[], counts integer[], message_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
declare
    origin queues;
    target queues;
    last_seq bigint;
begin
    select * into strict origin from queues where queue_id = queue;
    select * into target from queues
    where name = origin.dead_letter_queue and deleted_at is null and (origin.is_built_in or not is_built_in);
    if not found then
        raise exception using errcode = 'RS007', message = 'the dead-letter queue does not exist';
    end if;
    last_seq := last_message(target.queue_id);
    if origin.over_log and source <> -1 then
        insert into queue_messages (queue_id, seq, grp, message_id, event_position, replay_no, sent_at, arrived_at,
            dead_in, receive_count)
        select target.queue_id, last_seq + d.n, d.grp, d.message_id, d.position, nullif(source, 0), e.recorded_at,
            clock_timestamp(), origin.name, d.count
        from unnest(positions, grps, counts, message_ids) with ordinality d (position, grp, count, message_id, n)
            join events e on e.position = d.position
        order by d.n;
    else
        insert into queue_messages (queue_id, seq, grp, message_id, group_id, deduplication_id, body, attributes,
            event_position, replay_no, client_no, sent_at, arrived_at, dead_in, receive_count)
        select target.queue_id, last_seq + d.n, case when target.is_fifo then m.grp else last_seq + d.n end,
            m.message_id, m.group_id, m.deduplication_id, m.body, m.attributes, m.event_position, m.replay_no,
            m.client_no, m.sent_at, clock_timestamp(), origin.name, d.count
        from unnest(positions, counts) with ordinality d (position, count, n)
            join queue_messages m on m.queue_id = queue and m.seq = d.position and not m.is_void
        order by d.n;
    end if;
end $$;

CREATE FUNCTION rastro.count_activity(positions bigint[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'rastro', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
begin
    insert into product_activity as a (product_id, day, type, count, first_at, last_at)
    select product_id, (recorded_at at time zone 'UTC')::date, type, count(*), min(recorded_at), max(recorded_at)
    from events where position = any (positions) and product_id is not null group by 1, 2, 3 order by 1, 2, 3
    on conflict (product_id, day, type) do update set count = a.count + excluded.count,
        first_at = least(a.first_at, excluded.first_at), last_at = greatest(a.last_at, excluded.last_at);
    insert into user_activity as a (user_no, day, type, count, first_at, last_at)
    select user_no, (recorded_at at time zone 'UTC')::date, type, count(*), min(recorded_at), max(recorded_at)
    from events where position = any (positions) group by 1, 2, 3 order by 1, 2, 3
    on conflict (user_no, day, type) do update set count = a.count + excluded.count,
        first_at = least(a.first_at, excluded.first_at), last_at = greatest(a.last_at, excluded.last_at);
end $$;

CREATE FUNCTION rastro.end_api_key(key text, at timestamp with time zone, OUT client_no integer, OUT user_no integer) RETURNS record
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
    update api_keys k set revoked_at = at where key_id = key and revoked_at is null returning k.client_no, k.user_no
$$;

CREATE FUNCTION rastro.ensure_partitions(ahead integer) RETURNS integer
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
    select make_partitions(
        coalesce((select position from events order by position desc limit 1), 1), least(greatest(ahead, 0), 4))
$$;

CREATE FUNCTION rastro.event_passes(event_product bigint, event_user integer, event_type smallint, event_client integer, event_via smallint, event_label text, event_request uuid, event_data json, product bigint, users integer[], types smallint[], clients integer[], vias smallint[], actions text[], label text, request uuid) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    select (product is null or event_product = product)
        and (cardinality(users) = 0 or event_user = any (users))
        and (cardinality(types) = 0 or event_type = any (types))
        and (cardinality(clients) = 0 or event_client = any (clients))
        and (cardinality(vias) = 0 or event_via = any (vias))
        and (cardinality(actions) = 0 or (event_type = 11 and event_data ->> 'action' = any (actions)))
        and ((label is null and request is null) or event_label = label or event_request = request)
$$;

CREATE FUNCTION rastro.fence_destination(destination integer, its_epoch bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
begin
    perform from destinations
    where destination_id = destination and epoch = its_epoch and removed_at is null for no key update;
    if not found then
        raise exception using errcode = 'RS005', message = 'this process no longer owns the destination';
    end if;
end $$;

CREATE FUNCTION rastro.fence_queue(queue smallint, its_epoch bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    perform from queues where queue_id = queue and epoch = its_epoch for no key update;
    if not found then
        raise exception using errcode = 'RS005', message = 'this process no longer owns the queue';
    end if;
end $$;

CREATE FUNCTION rastro.forget_applied(consumer smallint, at_most integer) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
declare
    last bigint;
    forgotten bigint;
begin
    select max(position) into last from (
        select position from consumer_inbox where consumer_no = consumer and position <= (
            select swept_through from consumers where consumer_no = consumer)
        order by position limit at_most) oldest;
    delete from consumer_inbox where consumer_no = consumer and position <= last;
    get diagnostics forgotten = row_count;
    return forgotten;
end $$;

CREATE FUNCTION rastro.forget_queue(queue smallint) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
begin
    perform from queues where queue_id = queue and deleted_at is not null and not is_built_in for update;
    if not found or exists (select from queue_messages where queue_id = queue and seq < last_message(queue))
        or exists (select from queue_deduplication where queue_id = queue)
    then
        return 0;
    end if;
    delete from queue_messages where queue_id = queue;
    delete from queue_leases where queue_id = queue;
    delete from queue_pending where queue_id = queue;
    delete from queue_replays where queue_id = queue;
    delete from queue_moves where queue_id = queue;
    delete from queues where queue_id = queue;
    return 1;
end $$;

CREATE FUNCTION rastro.grant_consumers(role_name name) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
begin
    execute format('grant insert, update, delete on product_activity, user_activity, consumer_inbox, '
        'consumer_unapplied, consumer_failures to %I', role_name);
    execute format('grant insert on consumers to %I', role_name);
    execute format('grant update (swept_through) on consumers to %I', role_name);
    execute format('grant execute on function admit_events, sweep_consumer, forget_applied, count_activity to %I',
        role_name);
end $$;

CREATE FUNCTION rastro.grant_log(role_name name) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
begin
    execute format('grant insert on events, users, api_keys, writers to %I', role_name);
    execute format('grant update (lock_only) on log_head to %I', role_name);
    execute format('grant update (epoch) on writers to %I', role_name);
    execute format('grant insert, delete on batches to %I', role_name);
    execute format('grant insert, update, delete on products to %I', role_name);
    execute format('grant execute on function lock_head, append_fetches, ensure_partitions, end_api_key, '
        'renew_api_key to %I', role_name);
end $$;

CREATE FUNCTION rastro.grant_queues(role_name name) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
begin
    execute format('revoke update on queue_messages, queue_pending from %I', role_name);
    execute format('revoke delete on queues, queue_replays, queue_moves from %I', role_name);
    execute format('grant insert, delete on queue_messages, queue_pending to %I', role_name);
    execute format('grant insert, update, delete on queue_leases, queue_deduplication to %I', role_name);
    execute format('grant insert, update on queue_replays, queue_moves to %I', role_name);
    execute format('grant insert on queues to %I', role_name);
    execute format('grant update (name, epoch, owner, lease_until, owner_address, owner_pid, owner_since, '
        'visibility_timeout, delay, receive_wait, retention, maximum_message_bytes, dead_letter_queue, '
        'max_receive_count, redrive_from, deduplicates_content, deduplicates_by_group, has_high_throughput, tags, '
        'changed_at, purged_at, purged_through, deleted_at) on queues to %I', role_name);
    execute format('grant execute on function fence_queue, lock_queues, next_queue_id, send_messages, last_message, '
        'remove_messages, bury_messages, move_messages, sweep_messages, purge_queue, forget_queue to %I', role_name);
end $$;

CREATE FUNCTION rastro.grant_relay(role_name name) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
begin
    execute format('grant insert on destinations to %I', role_name);
    execute format('grant update (configuration, event_types, product_ids, cursor, epoch, owner, lease_until, revision, '
        'is_paused, last_error, last_error_at, failing_since, removed_at) on destinations to %I', role_name);
    execute format('grant insert, update, delete on destination_replays, relay_holds, parked_events to %I', role_name);
    execute format('grant execute on function fence_destination, save_relay(integer, bigint, integer, bigint, bigint[], '
        'bigint[], text[], bigint[], bigint[], boolean[], integer[], timestamptz[], bigint[]), remove_destination to %I',
        role_name);
end $$;

CREATE FUNCTION rastro.grant_serving(role_name name) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
begin
    execute format('grant usage on schema %I to %I', current_schema(), role_name);
    execute format('grant select on all tables in schema %I to %I', current_schema(), role_name);
    execute format('grant usage on all sequences in schema %I to %I', current_schema(), role_name);
    perform grant_log(role_name), grant_queues(role_name), grant_consumers(role_name), grant_relay(role_name);
end $$;

CREATE FUNCTION rastro.last_message(queue smallint) RETURNS bigint
    LANGUAGE sql STABLE
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
    select coalesce((select seq from queue_messages where queue_id = queue order by seq desc limit 1), 0)
$$;

CREATE FUNCTION rastro.lock_head(writer bigint, its_epoch bigint, program integer, OUT last_position bigint, OUT next_time timestamp with time zone, OUT clock timestamp with time zone) RETURNS record
    LANGUAGE plpgsql
    AS $$
declare
    minimum integer;
begin
    select min_writer into minimum from log_head for update;
    if minimum is null then
        raise exception using errcode = 'RS004', message = 'the log is not initialised';
    end if;
    if program < minimum then
        raise exception using errcode = 'RS002',
            message = format('this program writes format %s, the log asks for %s or newer', program, minimum);
    end if;
    perform from writers where writer_no = writer and epoch = its_epoch for no key update;
    if not found then
        raise exception using errcode = 'RS001', message = 'this writer was deposed';
    end if;
    select position, recorded_at into last_position, next_time from events order by position desc limit 1;
    last_position := coalesce(last_position, 0);
    clock := clock_timestamp();
    next_time := greatest(clock, next_time + interval '1 microsecond');
end $$;

CREATE FUNCTION rastro.lock_queues(own smallint, also text[], died bigint[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
begin
    perform from queues q
    where q.queue_id = own or q.name = any (also)
        or q.name in (select dead_in from queue_messages where queue_id = own and seq = any (died))
    order by q.queue_id for no key update;
end $$;

CREATE FUNCTION rastro.make_partitions(at bigint, ahead integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
declare
    size bigint;
    low bigint;
    name text;
    made integer := 0;
begin
    if not pg_try_advisory_xact_lock(hashtextextended('rastro.ensure_partitions', 0)) then
        return 0;
    end if;
    select partition_size into strict size from log_head;
    for n in 0 .. ahead loop
        low := (at / size + n) * size;
        name := format('events_%s', lpad(low::text, 19, '0'));
        continue when to_regclass(name) is not null
            and exists (select from pg_inherits where inhrelid = to_regclass(name) and inhparent = 'events'::regclass);
        if to_regclass(name) is null then
            execute format('create table %I (like events including defaults including constraints)', name);
            execute format('alter table %I add constraint %I check (position >= %s and position < %s)',
                name, name || '_range', low, low + size);
            execute format('create trigger events_immutable_statement before update or delete or truncate on %I '
                'for each statement execute function refuse_event_change()', name);
        end if;
        execute format('alter table events attach partition %I for values from (%s) to (%s)', name, low, low + size);
        execute format('alter table %I drop constraint %I', name, name || '_range');
        made := made + 1;
    end loop;
    return made;
end $$;

CREATE FUNCTION rastro.move_messages(queue smallint, seqs bigint[], target_name text) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
declare
    target queues;
    wanted text;
    moved integer := 0;
    count integer;
begin
    for wanted in
        select coalesce(target_name, m.dead_in) from queue_messages m
        where m.queue_id = queue and m.seq = any (seqs) and not m.is_void group by 1 order by 1
    loop
        select * into target from queues where name = wanted and deleted_at is null;
        if not found then
            raise exception using errcode = 'RS010', message = case when wanted is null
                then 'a message died in no queue: name the one to move to'
                else format('there is no queue %s to move to', wanted) end;
        end if;
        if (target.over_log or target.is_built_in) and exists (
            select from queue_messages m
            where m.queue_id = queue and m.seq = any (seqs) and not m.is_void and coalesce(target_name, m.dead_in) = wanted
                and (m.event_position is null or m.dead_in is distinct from target.name))
        then
            raise exception using errcode = 'RS010',
                message = format('only events that died in %s go there', target.name);
        end if;
        insert into queue_messages (queue_id, seq, grp, message_id, group_id, deduplication_id, body, attributes,
            event_position, replay_no, client_no, sent_at, arrived_at)
        select target.queue_id, last_message(target.queue_id) + m.n, case when target.is_fifo then m.grp
            else last_message(target.queue_id) + m.n end, m.message_id, m.group_id, m.deduplication_id, m.body,
            m.attributes, m.event_position, m.replay_no, m.client_no, m.sent_at, clock_timestamp()
        from (select *, row_number() over (order by seq) as n from queue_messages
            where queue_id = queue and seq = any (seqs) and not is_void and coalesce(target_name, dead_in) = wanted) m
        order by m.n;
        get diagnostics count = row_count;
        moved := moved + count;
    end loop;
    return moved;
end $$;

CREATE FUNCTION rastro.next_queue_id() RETURNS smallint
    LANGUAGE plpgsql
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
declare
    candidate smallint;
begin
    for attempt in 1..32668 loop
        candidate := nextval('queues_queue_id_seq');
        if not exists (select from queues where queue_id = candidate) then
            return candidate;
        end if;
    end loop;
    raise exception using errcode = 'program_limit_exceeded', message = 'every number of a queue is in use';
end $$;

CREATE FUNCTION rastro.purge_queue(queue smallint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
declare
    its queues;
    newest bigint;
    log_end bigint := coalesce((select position from events order by position desc limit 1), 0);
    next_lease bigint;
begin
    select * into strict its from queues where queue_id = queue for no key update;
    newest := last_message(queue);
    next_lease := coalesce((select max(lease_id) from queue_leases where queue_id = queue), 0) + 1;
    delete from queue_leases where queue_id = queue;
    delete from queue_pending where queue_id = queue;
    update queue_replays set finished_at = clock_timestamp() where queue_id = queue and finished_at is null;
    -- Receives of nothing, which bear where each source begins again.
    insert into queue_leases (queue_id, replay_no, lease_id, low, until, grp, pos, receive_count, gone)
    select queue, s.source, next_lease, s.low, '{}', '{}', '{}', '{}', 0
    from (values (0, case when its.over_log then log_end else newest end), (-1, newest)) s (source, low)
    where s.source = 0 or its.over_log;
    update queues set purged_at = clock_timestamp(), purged_through = newest, epoch = epoch + 1 where queue_id = queue;
end $$;

CREATE FUNCTION rastro.refuse_event_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    AS $$
begin
    raise exception using errcode = 'RS003',
        message = format('%s on %I is refused: events are immutable', tg_op, tg_table_name);
end $$;

CREATE FUNCTION rastro.remove_destination(destination integer, at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
begin
    update destinations set removed_at = at, revision = revision + 1, owner = null, lease_until = null
    where destination_id = destination;
    update destination_replays set finished_at = at where destination_id = destination and finished_at is null;
    delete from relay_holds where destination_id = destination;
end $$;

CREATE FUNCTION rastro.remove_messages(queue smallint, seqs bigint[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
declare
    newest bigint := last_message(queue);
begin
    delete from queue_messages where queue_id = queue and seq = any (seqs) and seq < newest;
    if newest = any (seqs) then
        update queue_messages set is_void = true, body = '', attributes = null, event_position = null, replay_no = null,
            group_id = null, deduplication_id = null, client_no = null, dead_in = null, receive_count = null
        where queue_id = queue and seq = newest and not is_void;
    end if;
end $$;

CREATE FUNCTION rastro.renew_api_key(key text, hash bytea, OUT client_no integer, OUT generation integer) RETURNS record
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
    update api_keys k set secret_hash = hash, generation = k.generation + 1
    where key_id = key and revoked_at is null returning k.client_no, k.generation
$$;

CREATE FUNCTION rastro.save_relay(destination integer, its_epoch bigint, replay integer, its_cursor bigint, parked_positions bigint[], parked_groups bigint[], parked_errors text[], hold_groups bigint[], hold_positions bigint[], hold_parked boolean[], ended_groups bigint[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
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

CREATE FUNCTION rastro.save_relay(destination integer, its_epoch bigint, replay integer, its_cursor bigint, parked_positions bigint[], parked_groups bigint[], parked_errors text[], hold_groups bigint[], hold_positions bigint[], hold_parked boolean[], hold_failures integer[], hold_retries timestamp with time zone[], ended_groups bigint[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
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

CREATE FUNCTION rastro.send_messages(queue smallint, by_group boolean, message_ids uuid[], grps bigint[], group_ids text[], deduplication_ids text[], bodies text[], attributes bytea[], delays bigint[], clients integer[]) RETURNS TABLE(ordinal integer, message_id uuid, seq bigint, is_duplicate boolean)
    LANGUAGE plpgsql
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
    last_seq bigint;
    purged bigint;
    now_at timestamptz := clock_timestamp();
begin
    select m.seq into last_seq from queue_messages m where m.queue_id = queue order by m.seq desc limit 1;
    last_seq := coalesce(last_seq, 0);
    select q.purged_through into purged from queues q where q.queue_id = queue;
    return query
    with given as (
        select g.ordinal::integer as ordinal, g.message_id, g.grp, g.group_id, g.dedup, g.body, g.attributes, g.delay,
            g.client, case when by_group then g.grp else 0 end as scope
        from unnest(message_ids, grps, group_ids, deduplication_ids, bodies, attributes, delays, clients)
            with ordinality g (message_id, grp, group_id, dedup, body, attributes, delay, client, ordinal)
    ), found as (
        -- Joined by the key alone: by its age, all of the window would be looked through for each message. A time from
        -- the future was written before the clock was set back.
        select g.*, d.seq as old_seq, d.message_id as old_id,
            coalesce(d.seq > purged and d.sent_at > now_at - interval '5 minutes'
                and d.sent_at < now_at + interval '5 minutes', false) as is_known
        from given g left join queue_deduplication d
            on d.queue_id = queue and d.grp = g.scope and d.deduplication_id = g.dedup
    ), judged as (
        select f.*, not f.is_known and row_number() over same = 1 as is_new
        from found f
        window same as (partition by f.scope, f.dedup, case when f.dedup is null then f.ordinal end order by f.ordinal)
    ), numbered as (
        select j.*, last_seq + count(*) filter (where j.is_new) over (order by j.ordinal) as seq from judged j
    ), inserted as (
        insert into queue_messages (queue_id, seq, grp, message_id, group_id, deduplication_id, body, attributes,
            client_no, sent_at, arrived_at, visible_at)
        select queue, n.seq, coalesce(n.grp, n.seq), n.message_id, n.group_id, n.dedup, n.body, n.attributes, n.client,
            now_at, now_at, case when n.delay > 0 then now_at + n.delay * interval '1 microsecond' end
        from numbered n where n.is_new order by n.seq
    ), remembered as (
        insert into queue_deduplication as d (queue_id, grp, deduplication_id, seq, message_id, sent_at)
        select queue, n.scope, n.dedup, n.seq, n.message_id, now_at from numbered n where n.is_new and n.dedup is not null
        on conflict (queue_id, grp, deduplication_id)
        do update set seq = excluded.seq, message_id = excluded.message_id, sent_at = excluded.sent_at
    )
    select n.ordinal, case when n.is_known then n.old_id else first_value(n.message_id) over same end,
        case when n.is_known then n.old_seq else first_value(n.seq) over same end, not n.is_new
    from numbered n
    window same as (partition by n.scope, n.dedup, case when n.dedup is null then n.ordinal end order by n.ordinal)
    order by n.ordinal;
end $$;

CREATE FUNCTION rastro.swap_products(replacement name, keep_as name) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
declare
    privilege record;
    suffix text;
begin
    for privilege in
        select (a).privilege_type as kind, (a).grantee::regrole as grantee
        from (select aclexplode(relacl) as a from pg_class where oid = 'products'::regclass) acl
        where (a).grantee <> 0 and (a).grantee <> (select relowner from pg_class where oid = 'products'::regclass)
    loop
        execute format('grant %s on %I to %s', privilege.kind, replacement, privilege.grantee);
    end loop;
    if keep_as is null then
        drop table products;
    else
        foreach suffix in array array['pkey', 'code', 'live', 'expiry'] loop
            execute format('alter index products_%s rename to %I', suffix, keep_as || '_' || suffix);
        end loop;
        execute format('alter table products rename to %I', keep_as);
    end if;
    execute format('alter table %I rename to products', replacement);
    execute 'comment on table products is null';
    foreach suffix in array array['pkey', 'code', 'live', 'expiry'] loop
        execute format('alter index %I rename to products_%s', replacement || '_' || suffix, suffix);
    end loop;
end $$;

CREATE FUNCTION rastro.sweep_activity_inbox(queue smallint) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
begin
    return 0;
end $$;

CREATE FUNCTION rastro.sweep_consumer(consumer smallint, failure_limit integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
declare
    queue smallint;
    swept bigint;
    target bigint;
begin
    perform pg_advisory_xact_lock(1919906675, consumer);
    select queue_id, swept_through into strict queue, swept from consumers where consumer_no = consumer;
    target := least(
        (select min(p) from queue_leases l, unnest(l.pos) with ordinality e (p, i)
            where l.queue_id = queue and l.replay_no = 0 and (l.gone >> (i::integer - 1)) & 1 = 0),
        (select min(from_pos) from queue_pending where queue_id = queue and replay_no = 0),
        (select low + 1 from queue_leases where queue_id = queue and replay_no = 0
            order by lease_id desc limit 1)) - 1;
    if target > swept then
        insert into consumer_unapplied (consumer_no, position)
        select distinct consumer, m.event_position from queue_messages m
        where m.event_position > swept and m.event_position <= target
            and not exists (select from consumer_inbox i
                where i.consumer_no = consumer and i.position = m.event_position);
        update consumers set swept_through = target where consumer_no = consumer;
        swept := target;
    end if;
    delete from consumer_unapplied u
    where consumer_no = consumer and not exists (select from queue_messages m where m.event_position = u.position);
    delete from consumer_failures f
    where consumer_no = consumer and case when f.position > swept
        then exists (select from consumer_inbox i where i.consumer_no = consumer and i.position = f.position)
        else not exists (select from consumer_unapplied u where u.consumer_no = consumer and u.position = f.position)
        end;
    delete from consumer_failures where consumer_no = consumer and position in (
        select position from consumer_failures where consumer_no = consumer order by last_at desc offset failure_limit);
end $$;

CREATE FUNCTION rastro.sweep_messages(queue smallint, at_most integer) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'rastro', 'pg_temp'
    AS $$
declare
    its queues;
    newest bigint := last_message(queue);
    gone bigint;
    forgotten bigint;
    leftover bigint := 0;
begin
    select * into strict its from queues where queue_id = queue;
    with oldest as (
        select seq, arrived_at, is_void from queue_messages
        where queue_id = queue and seq < newest order by seq limit at_most
    ), over as (
        select seq from oldest
        where seq <= its.purged_through or is_void or arrived_at < clock_timestamp() - its.retention
            or its.deleted_at is not null
    )
    delete from queue_messages m using over where m.queue_id = queue and m.seq = over.seq;
    get diagnostics gone = row_count;
    if exists (
        select from queue_messages where queue_id = queue and seq = newest and not is_void
            and (seq <= its.purged_through or arrived_at < clock_timestamp() - its.retention))
    then
        perform remove_messages(queue, array[newest]);
    end if;
    -- A row that is being sent again this moment is passed over: waiting for it, one would find it new but delete it.
    with old as materialized (
        select queue_id, grp, deduplication_id from queue_deduplication
        where sent_at < clock_timestamp() - interval '5 minutes' order by sent_at limit at_most
        for update skip locked
    )
    delete from queue_deduplication d using old
    where (d.queue_id, d.grp, d.deduplication_id) = (old.queue_id, old.grp, old.deduplication_id)
        and d.sent_at < clock_timestamp() - interval '5 minutes';
    get diagnostics forgotten = row_count;
    if its.deleted_at is not null then
        with rest as materialized (
            select grp, deduplication_id from queue_deduplication where queue_id = queue
            order by grp, deduplication_id limit at_most for update skip locked
        )
        delete from queue_deduplication d using rest
        where d.queue_id = queue and (d.grp, d.deduplication_id) = (rest.grp, rest.deduplication_id);
        get diagnostics leftover = row_count;
    end if;
    return gone + forgotten + leftover;
end $$;

CREATE TABLE rastro.api_keys (
    client_no integer NOT NULL,
    key_id text NOT NULL COLLATE pg_catalog."C",
    user_no integer NOT NULL,
    secret_hash bytea NOT NULL,
    generation integer DEFAULT 1 NOT NULL,
    scopes text[] NOT NULL,
    plan text COLLATE pg_catalog."C",
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    CONSTRAINT api_keys_secret_hash_check CHECK ((octet_length(secret_hash) = 32))
);

ALTER TABLE rastro.api_keys ALTER COLUMN client_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rastro.api_keys_client_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE rastro.batches (
    writer_no bigint NOT NULL,
    number bigint NOT NULL,
    first_position bigint NOT NULL,
    last_position bigint NOT NULL,
    committed_at timestamp with time zone NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='5000', autovacuum_vacuum_cost_delay='0', vacuum_truncate=off);

CREATE TABLE rastro.consumer_failures (
    consumer_no smallint NOT NULL,
    "position" bigint NOT NULL,
    error text NOT NULL,
    count integer NOT NULL,
    first_at timestamp with time zone NOT NULL,
    last_at timestamp with time zone NOT NULL,
    CONSTRAINT consumer_failures_error_check CHECK ((char_length(error) <= 1000))
);

CREATE TABLE rastro.consumer_inbox (
    consumer_no smallint NOT NULL,
    "position" bigint NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='50000', autovacuum_vacuum_cost_delay='0', vacuum_truncate=off);

CREATE TABLE rastro.consumer_unapplied (
    consumer_no smallint NOT NULL,
    "position" bigint NOT NULL
);

CREATE TABLE rastro.consumers (
    consumer_no smallint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    queue_id smallint NOT NULL,
    swept_through bigint DEFAULT 0 NOT NULL
);

ALTER TABLE rastro.consumers ALTER COLUMN consumer_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rastro.consumers_consumer_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE rastro.queue_leases (
    queue_id smallint NOT NULL,
    replay_no integer NOT NULL,
    lease_id bigint NOT NULL,
    low bigint NOT NULL,
    until bigint[] NOT NULL,
    grp bigint[] NOT NULL,
    pos bigint[] NOT NULL,
    receive_count integer[] NOT NULL,
    gone integer NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='5000', autovacuum_vacuum_cost_delay='0', vacuum_truncate=off);

CREATE TABLE rastro.queue_messages (
    queue_id smallint NOT NULL,
    seq bigint NOT NULL,
    grp bigint NOT NULL,
    message_id uuid NOT NULL,
    group_id text COLLATE pg_catalog."C",
    deduplication_id text COLLATE pg_catalog."C",
    body text,
    attributes bytea,
    event_position bigint,
    replay_no integer,
    client_no integer,
    sent_at timestamp with time zone NOT NULL,
    arrived_at timestamp with time zone NOT NULL,
    visible_at timestamp with time zone,
    dead_in text COLLATE pg_catalog."C",
    receive_count integer,
    is_void boolean DEFAULT false NOT NULL,
    CONSTRAINT queue_messages_check CHECK (((body IS NULL) <> (event_position IS NULL)))
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='5000', autovacuum_vacuum_cost_delay='0', vacuum_truncate=off);

CREATE TABLE rastro.queue_pending (
    queue_id smallint NOT NULL,
    replay_no integer NOT NULL,
    from_pos bigint NOT NULL,
    grp bigint NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='5000', autovacuum_vacuum_cost_delay='0', vacuum_truncate=off);

CREATE TABLE rastro.queues (
    queue_id smallint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    epoch bigint DEFAULT 0 NOT NULL,
    owner text COLLATE pg_catalog."C",
    lease_until timestamp with time zone,
    visibility_timeout interval DEFAULT '00:00:30'::interval NOT NULL,
    max_receive_count integer,
    is_fifo boolean DEFAULT true NOT NULL,
    over_log boolean DEFAULT false NOT NULL,
    event_types smallint[] DEFAULT '{}'::smallint[] NOT NULL,
    product_ids bigint[] DEFAULT '{}'::bigint[] NOT NULL,
    after_position bigint DEFAULT 0 NOT NULL,
    delay interval DEFAULT '00:00:00'::interval NOT NULL,
    receive_wait interval DEFAULT '00:00:00'::interval NOT NULL,
    retention interval DEFAULT '4 days'::interval NOT NULL,
    maximum_message_bytes integer DEFAULT 1048576 NOT NULL,
    dead_letter_queue text COLLATE pg_catalog."C",
    redrive_from text[],
    deduplicates_content boolean DEFAULT false NOT NULL,
    deduplicates_by_group boolean DEFAULT false NOT NULL,
    has_high_throughput boolean DEFAULT false NOT NULL,
    tags jsonb DEFAULT '{}'::jsonb NOT NULL,
    handle_key bytea DEFAULT (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) NOT NULL,
    is_built_in boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    purged_at timestamp with time zone,
    purged_through bigint DEFAULT 0 NOT NULL,
    owner_address text COLLATE pg_catalog."C",
    deleted_at timestamp with time zone,
    owner_pid integer,
    owner_since timestamp with time zone,
    CONSTRAINT queues_max_receive_count_check CHECK ((max_receive_count > 0))
);

CREATE VIEW rastro.dead_letters AS
 WITH given AS (
         SELECT l.queue_id,
            e.p
           FROM rastro.queue_leases l,
            LATERAL unnest(l.pos) WITH ORDINALITY e(p, i)
          WHERE ((l.replay_no = 0) AND (((l.gone >> ((e.i)::integer - 1)) & 1) = 0))
        )
 SELECT m.queue_id,
    m.seq,
    m.grp,
    m.message_id,
    m.group_id,
    m.deduplication_id,
    m.body,
    m.attributes,
    m.event_position,
    m.replay_no,
    m.client_no,
    m.sent_at,
    m.arrived_at,
    m.visible_at,
    m.dead_in,
    m.receive_count
   FROM (rastro.queue_messages m
     JOIN rastro.queues q USING (queue_id))
  WHERE ((m.dead_in IS NOT NULL) AND (m.seq > q.purged_through) AND ((m.seq > COALESCE(( SELECT l.low
           FROM rastro.queue_leases l
          WHERE ((l.queue_id = m.queue_id) AND (l.replay_no = 0))
          ORDER BY l.lease_id DESC
         LIMIT 1), (0)::bigint)) OR ((m.queue_id, m.seq) IN ( SELECT given.queue_id,
            given.p
           FROM given)) OR (EXISTS ( SELECT
           FROM rastro.queue_pending p
          WHERE ((p.queue_id = m.queue_id) AND (p.replay_no = 0) AND (p.grp = m.grp) AND (p.from_pos <= m.seq))))));

CREATE TABLE rastro.destination_replays (
    replay_no integer NOT NULL,
    destination_id integer NOT NULL,
    from_position bigint NOT NULL,
    to_position bigint NOT NULL,
    product_id bigint,
    types smallint[] NOT NULL,
    cursor bigint NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    CONSTRAINT destination_replays_check CHECK ((to_position >= from_position)),
    CONSTRAINT destination_replays_from_position_check CHECK ((from_position > 0))
);

ALTER TABLE rastro.destination_replays ALTER COLUMN replay_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rastro.destination_replays_replay_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE rastro.destinations (
    destination_id integer NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    configuration json NOT NULL,
    event_types smallint[] DEFAULT '{}'::smallint[] NOT NULL,
    product_ids bigint[] DEFAULT '{}'::bigint[] NOT NULL,
    cursor bigint NOT NULL,
    epoch bigint DEFAULT 0 NOT NULL,
    owner text COLLATE pg_catalog."C",
    lease_until timestamp with time zone,
    revision integer DEFAULT 1 NOT NULL,
    is_paused boolean DEFAULT false NOT NULL,
    last_error text,
    last_error_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    removed_at timestamp with time zone,
    failing_since timestamp with time zone,
    CONSTRAINT destinations_cursor_check CHECK ((cursor >= 0)),
    CONSTRAINT destinations_kind_check CHECK ((kind = ANY (ARRAY['sqs'::text, 'jetstream'::text, 'webhook'::text]))),
    CONSTRAINT destinations_name_check CHECK ((name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$'::text))
);

ALTER TABLE rastro.destinations ALTER COLUMN destination_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rastro.destinations_destination_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE rastro.events (
    "position" bigint NOT NULL,
    product_id bigint,
    recorded_at timestamp with time zone NOT NULL,
    user_no integer NOT NULL,
    client_no integer,
    version integer,
    type smallint NOT NULL,
    auth smallint NOT NULL,
    via smallint NOT NULL,
    schema smallint NOT NULL,
    request_id uuid,
    request_label text COLLATE pg_catalog."C",
    trace bytea,
    code text COLLATE pg_catalog."C",
    data_salt bytea,
    data json
)
PARTITION BY RANGE ("position");

CREATE TABLE rastro.log_head (
    one boolean DEFAULT true NOT NULL,
    origin text NOT NULL COLLATE pg_catalog."C",
    incarnation text NOT NULL COLLATE pg_catalog."C",
    min_writer integer DEFAULT 1 NOT NULL,
    partition_size bigint NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    lock_only boolean,
    CONSTRAINT log_head_incarnation_check CHECK ((incarnation ~ '^[0-9a-f]{8}$'::text)),
    CONSTRAINT log_head_one_check CHECK (one),
    CONSTRAINT log_head_partition_size_check CHECK (((partition_size >= 65536) AND ((partition_size % (65536)::bigint) = 0)))
);

CREATE TABLE rastro.parked_events (
    destination_id integer NOT NULL,
    replay_no integer NOT NULL,
    "position" bigint NOT NULL,
    grp bigint NOT NULL,
    error text NOT NULL,
    parked_at timestamp with time zone NOT NULL,
    skipped_at timestamp with time zone
);

CREATE TABLE rastro.product_activity (
    product_id bigint NOT NULL,
    day date NOT NULL,
    type smallint NOT NULL,
    count bigint NOT NULL,
    first_at timestamp with time zone NOT NULL,
    last_at timestamp with time zone NOT NULL
);

CREATE SEQUENCE rastro.product_ids
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    MAXVALUE 9007199254740991
    CACHE 1;

CREATE TABLE rastro.products (
    id bigint NOT NULL,
    version integer NOT NULL,
    code text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    model text NOT NULL COLLATE pg_catalog."C",
    price numeric(15,4) NOT NULL,
    url text COLLATE pg_catalog."C",
    expires_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    removed boolean NOT NULL
)
WITH (fillfactor='80');

CREATE TABLE rastro.queue_deduplication (
    queue_id smallint NOT NULL,
    grp bigint NOT NULL,
    deduplication_id text NOT NULL COLLATE pg_catalog."C",
    seq bigint NOT NULL,
    message_id uuid NOT NULL,
    sent_at timestamp with time zone NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='20000', autovacuum_vacuum_cost_delay='0', vacuum_truncate=off);

CREATE TABLE rastro.queue_moves (
    move_no integer NOT NULL,
    queue_id smallint NOT NULL,
    target text COLLATE pg_catalog."C",
    per_second integer,
    moved bigint DEFAULT 0 NOT NULL,
    total bigint NOT NULL,
    status text DEFAULT 'RUNNING'::text NOT NULL COLLATE pg_catalog."C",
    failure text,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone
);

ALTER TABLE rastro.queue_moves ALTER COLUMN move_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rastro.queue_moves_move_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE rastro.queue_replays (
    replay_no integer NOT NULL,
    queue_id smallint NOT NULL,
    from_position bigint NOT NULL,
    to_position bigint NOT NULL,
    product_id bigint,
    types smallint[] NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    CONSTRAINT queue_replays_check CHECK ((to_position >= from_position))
);

ALTER TABLE rastro.queue_replays ALTER COLUMN replay_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rastro.queue_replays_replay_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE rastro.queues ALTER COLUMN queue_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME rastro.queues_queue_id_seq
    START WITH 100
    INCREMENT BY 1
    MINVALUE 100
    NO MAXVALUE
    CACHE 1
    CYCLE
);

CREATE TABLE rastro.relay_holds (
    destination_id integer NOT NULL,
    replay_no integer NOT NULL,
    grp bigint NOT NULL,
    from_position bigint NOT NULL,
    is_parked boolean NOT NULL,
    is_released boolean DEFAULT false NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    retry_at timestamp with time zone
);

CREATE TABLE rastro.schema_versions (
    number integer NOT NULL,
    name text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE rastro.user_activity (
    user_no integer NOT NULL,
    day date NOT NULL,
    type smallint NOT NULL,
    count bigint NOT NULL,
    first_at timestamp with time zone NOT NULL,
    last_at timestamp with time zone NOT NULL
);

CREATE TABLE rastro.users (
    user_no integer NOT NULL,
    user_id text COLLATE pg_catalog."C",
    key bytea,
    actor bytea NOT NULL,
    CONSTRAINT users_actor_check CHECK ((octet_length(actor) = 32)),
    CONSTRAINT users_check CHECK (((user_id IS NULL) = (key IS NULL))),
    CONSTRAINT users_key_check CHECK ((octet_length(key) = 32))
);

ALTER TABLE rastro.users ALTER COLUMN user_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rastro.users_user_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE rastro.writers (
    writer_no bigint NOT NULL,
    epoch bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE rastro.writers ALTER COLUMN writer_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rastro.writers_writer_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY rastro.api_keys
    ADD CONSTRAINT api_keys_key_id_key UNIQUE (key_id);

ALTER TABLE ONLY rastro.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (client_no);

ALTER TABLE ONLY rastro.batches
    ADD CONSTRAINT batches_pkey PRIMARY KEY (writer_no, number);

ALTER TABLE ONLY rastro.consumer_failures
    ADD CONSTRAINT consumer_failures_pkey PRIMARY KEY (consumer_no, "position");

ALTER TABLE ONLY rastro.consumer_inbox
    ADD CONSTRAINT consumer_inbox_pkey PRIMARY KEY (consumer_no, "position");

ALTER TABLE ONLY rastro.consumer_unapplied
    ADD CONSTRAINT consumer_unapplied_pkey PRIMARY KEY (consumer_no, "position");

ALTER TABLE ONLY rastro.consumers
    ADD CONSTRAINT consumers_name_key UNIQUE (name);

ALTER TABLE ONLY rastro.consumers
    ADD CONSTRAINT consumers_pkey PRIMARY KEY (consumer_no);

ALTER TABLE ONLY rastro.consumers
    ADD CONSTRAINT consumers_queue_id_key UNIQUE (queue_id);

ALTER TABLE ONLY rastro.destination_replays
    ADD CONSTRAINT destination_replays_pkey PRIMARY KEY (replay_no);

ALTER TABLE ONLY rastro.destinations
    ADD CONSTRAINT destinations_pkey PRIMARY KEY (destination_id);

ALTER TABLE ONLY rastro.events
    ADD CONSTRAINT events_pkey PRIMARY KEY ("position");

ALTER TABLE ONLY rastro.log_head
    ADD CONSTRAINT log_head_pkey PRIMARY KEY (one);

ALTER TABLE ONLY rastro.parked_events
    ADD CONSTRAINT parked_events_pkey PRIMARY KEY (destination_id, replay_no, "position");

ALTER TABLE ONLY rastro.product_activity
    ADD CONSTRAINT product_activity_pkey PRIMARY KEY (product_id, day, type);

ALTER TABLE ONLY rastro.products
    ADD CONSTRAINT products_pkey PRIMARY KEY (id);

ALTER TABLE ONLY rastro.queue_deduplication
    ADD CONSTRAINT queue_deduplication_pkey PRIMARY KEY (queue_id, grp, deduplication_id);

ALTER TABLE ONLY rastro.queue_leases
    ADD CONSTRAINT queue_leases_pkey PRIMARY KEY (queue_id, replay_no, lease_id);

ALTER TABLE ONLY rastro.queue_messages
    ADD CONSTRAINT queue_messages_pkey PRIMARY KEY (queue_id, seq);

ALTER TABLE ONLY rastro.queue_moves
    ADD CONSTRAINT queue_moves_pkey PRIMARY KEY (move_no);

ALTER TABLE ONLY rastro.queue_pending
    ADD CONSTRAINT queue_pending_pkey PRIMARY KEY (queue_id, replay_no, from_pos);

ALTER TABLE ONLY rastro.queue_replays
    ADD CONSTRAINT queue_replays_pkey PRIMARY KEY (replay_no);

ALTER TABLE ONLY rastro.queues
    ADD CONSTRAINT queues_name_key UNIQUE (name);

ALTER TABLE ONLY rastro.queues
    ADD CONSTRAINT queues_pkey PRIMARY KEY (queue_id);

ALTER TABLE ONLY rastro.relay_holds
    ADD CONSTRAINT relay_holds_pkey PRIMARY KEY (destination_id, replay_no, grp);

ALTER TABLE ONLY rastro.schema_versions
    ADD CONSTRAINT schema_versions_pkey PRIMARY KEY (number);

ALTER TABLE ONLY rastro.user_activity
    ADD CONSTRAINT user_activity_pkey PRIMARY KEY (user_no, day, type);

ALTER TABLE ONLY rastro.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (user_no);

ALTER TABLE ONLY rastro.users
    ADD CONSTRAINT users_user_id_key UNIQUE (user_id);

ALTER TABLE ONLY rastro.writers
    ADD CONSTRAINT writers_pkey PRIMARY KEY (writer_no);

CREATE INDEX api_keys_user ON rastro.api_keys USING btree (user_no);

CREATE INDEX batches_committed_at ON rastro.batches USING btree (committed_at);

CREATE INDEX destination_replays_unfinished ON rastro.destination_replays USING btree (destination_id) WHERE (finished_at IS NULL);

CREATE UNIQUE INDEX destinations_name ON rastro.destinations USING btree (name) WHERE (removed_at IS NULL);

CREATE INDEX events_change ON ONLY rastro.events USING btree (product_id, "position") WHERE (type <= 4);

CREATE INDEX events_label ON ONLY rastro.events USING btree (request_label, "position") WHERE (request_label IS NOT NULL);

CREATE INDEX events_product ON ONLY rastro.events USING btree (product_id, "position");

CREATE INDEX events_user ON ONLY rastro.events USING btree (user_no, "position");

CREATE UNIQUE INDEX products_code ON rastro.products USING btree (code) WHERE (NOT removed);

CREATE INDEX products_expiry ON rastro.products USING btree (expires_at) WHERE ((expires_at IS NOT NULL) AND (NOT removed));

CREATE INDEX products_live ON rastro.products USING btree (id) WHERE (NOT removed);

CREATE INDEX queue_deduplication_age ON rastro.queue_deduplication USING btree (sent_at);

CREATE INDEX queue_messages_event ON rastro.queue_messages USING btree (event_position) WHERE (event_position IS NOT NULL);

CREATE INDEX queue_messages_group ON rastro.queue_messages USING btree (queue_id, grp, seq);

CREATE INDEX queue_moves_running ON rastro.queue_moves USING btree (queue_id) WHERE (ended_at IS NULL);

CREATE INDEX queue_replays_unfinished ON rastro.queue_replays USING btree (queue_id) WHERE (finished_at IS NULL);

CREATE INDEX relay_holds_released ON rastro.relay_holds USING btree (destination_id) WHERE is_released;

CREATE TRIGGER events_immutable BEFORE DELETE OR UPDATE ON rastro.events FOR EACH ROW EXECUTE FUNCTION rastro.refuse_event_change();

CREATE TRIGGER events_immutable_statement BEFORE DELETE OR UPDATE OR TRUNCATE ON rastro.events FOR EACH STATEMENT EXECUTE FUNCTION rastro.refuse_event_change();

ALTER TABLE ONLY rastro.api_keys
    ADD CONSTRAINT api_keys_user_no_fkey FOREIGN KEY (user_no) REFERENCES rastro.users(user_no);

ALTER TABLE ONLY rastro.consumer_failures
    ADD CONSTRAINT consumer_failures_consumer_no_fkey FOREIGN KEY (consumer_no) REFERENCES rastro.consumers(consumer_no) ON DELETE CASCADE;

ALTER TABLE ONLY rastro.consumer_unapplied
    ADD CONSTRAINT consumer_unapplied_consumer_no_fkey FOREIGN KEY (consumer_no) REFERENCES rastro.consumers(consumer_no) ON DELETE CASCADE;

ALTER TABLE ONLY rastro.consumers
    ADD CONSTRAINT consumers_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES rastro.queues(queue_id) ON DELETE CASCADE;

ALTER TABLE ONLY rastro.destination_replays
    ADD CONSTRAINT destination_replays_destination_id_fkey FOREIGN KEY (destination_id) REFERENCES rastro.destinations(destination_id);

ALTER TABLE ONLY rastro.parked_events
    ADD CONSTRAINT parked_events_destination_id_fkey FOREIGN KEY (destination_id) REFERENCES rastro.destinations(destination_id);

ALTER TABLE ONLY rastro.queue_deduplication
    ADD CONSTRAINT queue_deduplication_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES rastro.queues(queue_id);

ALTER TABLE ONLY rastro.queue_leases
    ADD CONSTRAINT queue_leases_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES rastro.queues(queue_id);

ALTER TABLE ONLY rastro.queue_messages
    ADD CONSTRAINT queue_messages_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES rastro.queues(queue_id);

ALTER TABLE ONLY rastro.queue_moves
    ADD CONSTRAINT queue_moves_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES rastro.queues(queue_id);

ALTER TABLE ONLY rastro.queue_pending
    ADD CONSTRAINT queue_pending_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES rastro.queues(queue_id);

ALTER TABLE ONLY rastro.queue_replays
    ADD CONSTRAINT queue_replays_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES rastro.queues(queue_id);

ALTER TABLE ONLY rastro.relay_holds
    ADD CONSTRAINT relay_holds_destination_id_fkey FOREIGN KEY (destination_id) REFERENCES rastro.destinations(destination_id);
