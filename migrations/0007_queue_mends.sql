-- Mends of queues: what may be moved where, numbers that are used again, void rows, take-overs from a frozen owner.
--   RS010  messages may not be moved there

-- The session of the queue's owner, told from a later one of the same process id by its start.
alter table queues
    add column owner_pid integer,
    add column owner_since timestamptz;

-- A queue's newest row stays when its message is gone, so that no number is given twice; it has no content then.
alter table queue_messages add column is_void boolean not null default false;

-- A name that was taken burned a number, and nobody could make a queue after the last one.
alter table queues alter column queue_id set minvalue 100 set maxvalue 32767 set cycle;

-- A number for a new queue. They go round, so that one is not used again soon; those in use are passed over.
create function next_queue_id() returns smallint language plpgsql set search_path from current as $$
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

-- Adds messages to a queue in the order given and returns, for each, its id and number. A message whose deduplication
-- id was seen within five minutes is not added: it gets the id and number of the first. What was sent before a purge was
-- not seen. The queue's row must be locked (fence_queue), so that numbers are given in commit order.
create or replace function send_messages(queue smallint, by_group boolean, message_ids uuid[], grps bigint[],
    group_ids text[], deduplication_ids text[], bodies text[], attributes bytea[], delays bigint[], clients integer[])
returns table (ordinal integer, message_id uuid, seq bigint, is_duplicate boolean) language plpgsql
set search_path from current as $$
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

-- Removes messages that are gone; the newest row stays, void. With its owner's rights: the serving role may not change
-- a message.
create function remove_messages(queue smallint, seqs bigint[]) returns void language plpgsql security definer
set search_path from current as $$
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

-- Moves messages that were received too often to the queue that the redrive policy names; its row is locked already.
-- source: 0, -1 or a replay, as in queue_leases. Fails with RS007 when that queue is no more. Rastro's own dead-letter
-- queues take messages of Rastro's own queues only.
create or replace function bury_messages(queue smallint, source integer, positions bigint[], grps bigint[],
    counts integer[], message_ids uuid[]) returns void language plpgsql set search_path from current as $$
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

-- Moves messages from a dead-letter queue to another queue, or each back to where it died. Returns how many were moved.
-- Fails with RS010 when a target is no more, or takes only events that died in it: queues over the log, and Rastro's
-- own.
create or replace function move_messages(queue smallint, seqs bigint[], target_name text) returns integer
language plpgsql set search_path from current as $$
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

-- Removes a queue's messages whose time is over, or that were purged, and, of all queues, what need not be known as sent
-- any more; a bounded number at a time. Returns how many rows went.
create or replace function sweep_messages(queue smallint, at_most integer) returns bigint language plpgsql
set search_path from current as $$
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

-- Forgets all messages that are waiting or in flight; the rows of its own are swept later, and what was sent up to now is
-- not known as sent any more. The owner is deposed by it and reads its journal again. Runs while nobody else may append
-- to the log: its work is bounded by what may be in flight.
create or replace function purge_queue(queue smallint) returns void language plpgsql set search_path from current as $$
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

-- Removes what is left of a deleted queue once its messages are swept; returns 1 when it is gone. With its owner's rights:
-- the serving role may not delete a queue.
create or replace function forget_queue(queue smallint) returns integer language plpgsql security definer
set search_path from current as $$
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

-- What was granted before and nobody needs is taken back.
create or replace function grant_queues(role_name name) returns void language plpgsql set search_path from current as $$
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

revoke execute on function next_queue_id, remove_messages from public;

-- Moves out of a queue over the log are refused from now on; one that was begun would never end.
update queue_moves m set status = 'FAILED', failure = 'events are not moved out of a queue over the log',
    ended_at = clock_timestamp()
from queues q where q.queue_id = m.queue_id and q.over_log and m.ended_at is null;
