-- Queues over the log, and what the built-in consumer keeps.
--
-- A waiting message has no row: it is an event after the queue's `low`. Only what was handed out is written down, one
-- row a receive. No key is ever used twice and no row is updated again and again: that is what survives a long snapshot.
--   RS005  the caller no longer owns the queue

create table queues (
    queue_id smallint primary key,
    name text collate "C" not null unique,
    -- Raised at every take-over; every batch of the owner compares it.
    epoch bigint not null default 0,
    owner text collate "C",
    lease_until timestamptz,
    visibility_timeout interval not null default interval '30 seconds',
    -- A message received so often goes to the dead letters; null: never.
    max_receive_count integer check (max_receive_count > 0)
);
insert into queues (queue_id, name, max_receive_count)
values (1, 'product-events.fifo', 10), (2, 'product-activity.fifo', 10);

-- Ranges of the log that are to be delivered again. A replay is one more source of its queue: no message is copied, it
-- has leases and groups of its own, and live messages go first.
create table queue_replays (
    replay_no integer primary key generated always as identity,
    queue_id smallint not null references queues (queue_id),
    from_position bigint not null,
    to_position bigint not null check (to_position >= from_position),
    product_id bigint,
    -- Only these; none for all.
    types smallint[] not null,
    started_at timestamptz not null,
    finished_at timestamptz
);
create index queue_replays_unfinished on queue_replays (queue_id) where finished_at is null;

-- In these, replay_no is 0 for live messages.
create table queue_leases (
    queue_id smallint not null references queues (queue_id),
    replay_no integer not null,
    lease_id bigint not null,
    low bigint not null,
    until bigint[] not null,
    grp bigint[] not null,
    pos bigint[] not null,
    receive_count integer[] not null,
    gone integer not null,
    primary key (queue_id, replay_no, lease_id)
) with (fillfactor = 90);

create table queue_pending (
    queue_id smallint not null references queues (queue_id),
    replay_no integer not null,
    from_pos bigint not null,
    grp bigint not null,
    primary key (queue_id, replay_no, from_pos)
);

create table queue_dead_letters (
    queue_id smallint not null references queues (queue_id),
    replay_no integer not null,
    position bigint not null,
    grp bigint not null,
    receive_count integer not null,
    died_at timestamptz not null default clock_timestamp(),
    primary key (queue_id, replay_no, position)
);

-- Rows here live for seconds. Autovacuum is to look at them by their number, not by a share of the table, and never to
-- give pages back, which would lock the queue out.
alter table queue_leases set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0, vacuum_truncate = off);
alter table queue_pending set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0, vacuum_truncate = off);
alter table batches set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0, vacuum_truncate = off);

-- Fences a batch of a queue's owner, and keeps a take-over waiting until it has committed.
create function fence_queue(queue smallint, its_epoch bigint) returns void language plpgsql as $$
begin
    perform from queues where queue_id = queue and epoch = its_epoch for no key update;
    if not found then
        raise exception using errcode = 'RS005', message = 'this process no longer owns the queue';
    end if;
end $$;

-- Counts by product, type and day (UTC), with the first and last moment.
create table product_activity (
    product_id bigint not null,
    day date not null,
    type smallint not null,
    count bigint not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    primary key (product_id, day, type)
);

create table user_activity (
    user_no integer not null,
    day date not null,
    type smallint not null,
    count bigint not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    primary key (user_no, day, type)
);

-- The positions that the consumer has applied and that may still be delivered again.
create table activity_inbox (position bigint primary key);

-- Every position up to here was applied and is never delivered again: the inbox has forgotten it. A consumer that was
-- paused before it applied a message, and wakes up when others have long done it, is told by this.
create table activity_swept (one boolean primary key default true check (one), through bigint not null);
insert into activity_swept (through) values (0);

-- Applies events to the activity tables, each once in effect however often it is delivered: what is in the inbox
-- already is passed over, in the same transaction. Returns how many were new.
create function apply_activity(positions bigint[]) returns integer language plpgsql as $$
declare
    swept bigint;
    fresh bigint[];
begin
    select through into strict swept from activity_swept for share;
    with added as (
        insert into activity_inbox select distinct p from unnest(positions) p where p > swept
        on conflict do nothing returning position
    )
    select array_agg(position) into fresh from added;
    if fresh is null then
        return 0;
    end if;
    insert into product_activity as a (product_id, day, type, count, first_at, last_at)
    select product_id, (recorded_at at time zone 'UTC')::date, type, count(*), min(recorded_at), max(recorded_at)
    from events where position = any (fresh) and product_id is not null group by 1, 2, 3 order by 1, 2, 3
    on conflict (product_id, day, type) do update set count = a.count + excluded.count,
        first_at = least(a.first_at, excluded.first_at), last_at = greatest(a.last_at, excluded.last_at);
    insert into user_activity as a (user_no, day, type, count, first_at, last_at)
    select user_no, (recorded_at at time zone 'UTC')::date, type, count(*), min(recorded_at), max(recorded_at)
    from events where position = any (fresh) group by 1, 2, 3 order by 1, 2, 3
    on conflict (user_no, day, type) do update set count = a.count + excluded.count,
        first_at = least(a.first_at, excluded.first_at), last_at = greatest(a.last_at, excluded.last_at);
    return cardinality(fresh);
end $$;

-- Forgets applied positions that cannot be delivered again: all before the oldest message of the queue that is still
-- outstanding. Waits for those who are applying. Returns how many were forgotten.
create function sweep_activity_inbox(queue smallint) returns bigint language plpgsql as $$
declare
    swept bigint;
    target bigint;
    forgotten bigint;
begin
    select through into strict swept from activity_swept for update;
    target := least(
        (select min(p) from queue_leases l, unnest(l.pos) with ordinality e (p, i)
            where l.queue_id = queue and l.replay_no = 0 and (l.gone >> (i::integer - 1)) & 1 = 0),
        (select min(from_pos) from queue_pending where queue_id = queue and replay_no = 0),
        (select low + 1 from queue_leases where queue_id = queue and replay_no = 0
            order by lease_id desc limit 1)) - 1;
    if target is null or target <= swept then
        return 0;
    end if;
    update activity_swept set through = target;
    delete from activity_inbox where position <= target;
    get diagnostics forgotten = row_count;
    return forgotten;
end $$;

-- Gives the serving role what it needs and no more: it may read, append events, keep the projections, lock the head and
-- own queues. It can neither change an event, a user or a key, nor make or drop a table. Run by the owner after every
-- migration.
create function grant_serving(role_name name) returns void language plpgsql set search_path from current as $$
begin
    execute format('grant usage on schema %I to %I', current_schema(), role_name);
    execute format('grant select on all tables in schema %I to %I', current_schema(), role_name);
    execute format('grant usage on all sequences in schema %I to %I', current_schema(), role_name);
    execute format('grant insert on events, users, api_keys, writers to %I', role_name);
    execute format('grant update (lock_only) on log_head to %I', role_name);
    execute format('grant update (epoch) on writers to %I', role_name);
    execute format('grant insert, delete on batches to %I', role_name);
    execute format('grant insert, update, delete on products, queue_leases, queue_pending, queue_dead_letters, '
        'product_activity, user_activity, activity_inbox to %I', role_name);
    execute format('grant update on activity_swept to %I', role_name);
    execute format('grant update (epoch, owner, lease_until) on queues to %I', role_name);
    execute format('grant insert, update on queue_replays to %I', role_name);
    execute format('grant execute on function lock_head, append_fetches, ensure_partitions, end_api_key, renew_api_key, '
        'fence_queue, apply_activity, sweep_activity_inbox to %I', role_name);
end $$;

-- Nobody runs these unless it was granted.
revoke execute on function make_partitions, ensure_partitions, end_api_key, renew_api_key, lock_head, append_fetches,
    swap_products, fence_queue, apply_activity, sweep_activity_inbox, grant_serving from public;
