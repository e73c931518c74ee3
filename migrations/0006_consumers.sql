-- Consumers: each with a queue of its own, an inbox, and the errors of what it could not apply.

-- First, as every batch of a queue's owner locks its row before anything else.
lock table queues in access exclusive mode;

create table consumers (
    consumer_no smallint primary key generated always as identity,
    name text collate "C" not null unique,
    -- Two consumers of one queue would each get a part of its messages.
    queue_id smallint not null unique references queues (queue_id) on delete cascade,
    -- Every position up to here was applied, or never will come, but for those in consumer_unapplied: the inbox has
    -- forgotten it. A consumer that was paused before it applied a message, and wakes up when others have long done it,
    -- is told by this.
    swept_through bigint not null default 0
);

-- The positions that a consumer has applied and that may still be delivered again. No foreign key: it would lock the
-- consumer's row once an event.
create table consumer_inbox (
    consumer_no smallint not null,
    position bigint not null,
    primary key (consumer_no, position)
);

-- Positions up to swept_through that were not applied and may come again: they lie in a dead-letter queue, or have been
-- moved out of one.
create table consumer_unapplied (
    consumer_no smallint not null references consumers (consumer_no) on delete cascade,
    position bigint not null,
    primary key (consumer_no, position)
);

-- Why events could not be applied, the newest reason of each. No user id may stand in an error.
create table consumer_failures (
    consumer_no smallint not null references consumers (consumer_no) on delete cascade,
    position bigint not null,
    error text not null check (char_length(error) <= 1000),
    count integer not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    primary key (consumer_no, position)
);

alter table consumer_inbox set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000,
    autovacuum_vacuum_cost_delay = 0, vacuum_truncate = off);

-- Events that lie in a queue as messages of its own: dead letters, and what was moved out of them.
create index queue_messages_event on queue_messages (event_position) where event_position is not null;

-- Messages that died and are still there. The last row of a queue stays when its message is deleted or moved, and so may
-- the one before it: the queue's journal tells which are outstanding.
create view dead_letters as
with given as (
    select l.queue_id, e.p from queue_leases l, unnest(l.pos) with ordinality e (p, i)
    where l.replay_no = 0 and (l.gone >> (e.i::integer - 1)) & 1 = 0
)
select m.* from queue_messages m join queues q using (queue_id)
where m.dead_in is not null and m.seq > q.purged_through
    and (m.seq > coalesce((select low from queue_leases l where l.queue_id = m.queue_id and l.replay_no = 0
            order by lease_id desc limit 1), 0)
        or (m.queue_id, m.seq) in (select queue_id, p from given)
        or exists (select from queue_pending p where p.queue_id = m.queue_id and p.replay_no = 0 and p.grp = m.grp
            and p.from_pos <= m.seq));

-- What was counted stays counted. Of dead letters below the sweep nobody knows any more whether they were: they are
-- taken as counted, so that nothing counts twice.
lock table activity_swept, activity_inbox in access exclusive mode;
insert into consumers (name, queue_id, swept_through) select 'activity', 2, through from activity_swept;
insert into consumer_inbox (consumer_no, position)
select c.consumer_no, i.position from activity_inbox i, consumers c where c.name = 'activity';
drop table activity_inbox, activity_swept;

-- Puts events into a consumer's inbox and returns those that are new to it, in order: to be applied in this very
-- transaction, so that each has its effect once however often it is delivered.
create function admit_events(consumer smallint, positions bigint[]) returns bigint[] language plpgsql
set search_path from current as $$
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

-- Moves swept_through to before the oldest message of the consumer's queue that is still outstanding, and forgets errors
-- of messages that were applied or are no more. Keeps at most so many errors, the newest. Waits for those who are
-- applying; what the inbox may forget then is left to forget_applied.
create function sweep_consumer(consumer smallint, failure_limit integer) returns void language plpgsql
set search_path from current as $$
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

-- Forgets positions up to swept_through, a bounded number at a time. Returns how many.
create function forget_applied(consumer smallint, at_most integer) returns bigint language plpgsql
set search_path from current as $$
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

-- Adds events to the activity tables. A plan that was kept from when there were few events would read them all.
create function count_activity(positions bigint[]) returns void language plpgsql set search_path from current
set enable_seqscan to off as $$
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

-- What a server that is not replaced yet calls: servers are, one after the other.
create or replace function apply_activity(positions bigint[]) returns integer language plpgsql
set search_path from current as $$
declare
    fresh bigint[];
begin
    select admit_events(consumer_no, positions) into fresh from consumers where name = 'activity';
    if coalesce(cardinality(fresh), 0) > 0 then
        perform count_activity(fresh);
    end if;
    return coalesce(cardinality(fresh), 0);
end $$;

create or replace function sweep_activity_inbox(queue smallint) returns bigint language plpgsql as $$
begin
    return 0;
end $$;

create or replace function grant_consumers(role_name name) returns void language plpgsql
set search_path from current as $$
begin
    execute format('grant insert, update, delete on product_activity, user_activity, consumer_inbox, '
        'consumer_unapplied, consumer_failures to %I', role_name);
    execute format('grant insert on consumers to %I', role_name);
    execute format('grant update (swept_through) on consumers to %I', role_name);
    execute format('grant execute on function admit_events, sweep_consumer, forget_applied, count_activity to %I',
        role_name);
end $$;

revoke execute on function admit_events, sweep_consumer, forget_applied, count_activity from public;
