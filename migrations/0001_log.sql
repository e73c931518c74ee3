-- The event log, its users and keys, and the products projection.
--
-- Runs as the owner of the schema. Failures that a program must tell apart raise SQLSTATEs of our own:
--   RS001  this writer was deposed: its epoch is no longer the one in `writers`
--   RS002  this program is older than the log's `min_writer` allows
--   RS003  an event cannot be changed or removed
--   RS004  the log has no head row: it was never initialised

-- ---------------------------------------------------------------------------------------------- the head

-- One row: the log's lock and identity. Batches lock it and never update it: a row that every batch updates gets
-- slower and slower while any old snapshot lives. `lock_only` is what the serving role may "update", which is
-- what SELECT … FOR UPDATE asks for.
create table log_head (
    one boolean primary key default true check (one),
    origin text collate "C" not null,
    incarnation text collate "C" not null check (incarnation ~ '^[0-9a-f]{8}$'),
    min_writer integer not null default 1,
    partition_size bigint not null check (partition_size >= 65536 and partition_size % 65536 = 0),
    created_at timestamptz not null default clock_timestamp(),
    lock_only boolean
);

-- One row a committer process: its epoch fences what a lost connection may still try to commit.
create table writers (
    writer_no bigint generated always as identity primary key,
    epoch bigint not null,
    name text collate "C" not null,
    started_at timestamptz not null default clock_timestamp()
);

-- One row a committed batch, kept for minutes: the answer to "did my COMMIT happen?".
create table batches (
    writer_no bigint not null,
    number bigint not null,
    first_position bigint not null,
    last_position bigint not null,
    committed_at timestamptz not null,
    primary key (writer_no, number)
);
create index batches_committed_at on batches (committed_at);

-- ---------------------------------------------------------------------------------------------- users and keys

-- The only place that names a user. Erasing nulls user_id and key; actor stays, and so do the proofs.
create table users (
    user_no integer generated always as identity primary key,
    user_id text collate "C" unique,
    key bytea check (octet_length(key) = 32),
    actor bytea not null check (octet_length(actor) = 32),
    check ((user_id is null) = (key is null))
);

create table api_keys (
    client_no integer generated always as identity primary key,
    key_id text collate "C" not null unique,
    user_no integer not null references users (user_no),
    secret_hash bytea not null check (octet_length(secret_hash) = 32),
    generation integer not null default 1,
    scopes text[] not null,
    plan text collate "C",
    created_at timestamptz not null,
    expires_at timestamptz,
    revoked_at timestamptz
);
create index api_keys_user on api_keys (user_no);

-- Ending and renewing a key: the serving role may do no other change to one, and none undoes an end.
create function end_api_key(key text, at timestamptz, out client_no integer, out user_no integer)
language sql security definer set search_path from current as $$
    update api_keys k set revoked_at = at where key_id = key and revoked_at is null returning k.client_no, k.user_no
$$;

create function renew_api_key(key text, hash bytea, out client_no integer, out generation integer)
language sql security definer set search_path from current as $$
    update api_keys k set secret_hash = hash, generation = k.generation + 1
    where key_id = key and revoked_at is null returning k.client_no, k.generation
$$;

-- ---------------------------------------------------------------------------------------------- events

create table events (
    position bigint not null,
    product_id bigint,
    recorded_at timestamptz not null,
    user_no integer not null,
    client_no integer,
    version integer,
    type smallint not null,
    auth smallint not null,
    via smallint not null,
    schema smallint not null,
    request_id uuid,
    request_label text collate "C",
    trace bytea,
    code text collate "C",
    data_salt bytea,
    data json,
    primary key (position)
) partition by range (position);

create index events_product on events (product_id, position);
create index events_user on events (user_no, position);
create index events_change on events (product_id, position) where type <= 4;
create index events_label on events (request_label, position) where request_label is not null;

create function refuse_event_change() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
    raise exception using errcode = 'RS003',
        message = format('%s on %I is refused: events are immutable', tg_op, tg_table_name);
end $$;

create trigger events_immutable before update or delete on events
    for each row execute function refuse_event_change();
create trigger events_immutable_statement before update or delete or truncate on events
    for each statement execute function refuse_event_change();

-- What an auditor's filter lets pass, for all statements that scan events. PostgreSQL puts its body in the place of
-- each call, so it costs nothing: it must stay a single expression of a stable SQL function without settings of its
-- own.
-- null and an empty array filter nothing; label and request name one request, which has either.
create function event_passes(
    event_product bigint, event_user integer, event_type smallint, event_client integer, event_via smallint,
    event_label text, event_request uuid, event_data json,
    product bigint, users integer[], types smallint[], clients integer[], vias smallint[], actions text[],
    label text, request uuid)
returns boolean language sql stable as $$
    select (product is null or event_product = product)
        and (cardinality(users) = 0 or event_user = any (users))
        and (cardinality(types) = 0 or event_type = any (types))
        and (cardinality(clients) = 0 or event_client = any (clients))
        and (cardinality(vias) = 0 or event_via = any (vias))
        and (cardinality(actions) = 0 or (event_type = 11 and event_data ->> 'action' = any (actions)))
        and ((label is null and request is null) or event_label = label or event_request = request)
$$;

-- Makes the partitions of `position`'s range and of the `ahead` ranges after it. Each is made as a table of its own
-- with a CHECK that matches its range and is then attached: unlike CREATE TABLE … PARTITION OF that takes no lock
-- on `events` that would stop the log behind a reader. Returns how many were made.
create function make_partitions(at bigint, ahead integer) returns integer
language plpgsql set search_path from current as $$
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

-- The same for where the log stands: all that the serving role may do to the tables. At most four ahead.
create function ensure_partitions(ahead integer) returns integer
language sql security definer set search_path from current as $$
    select make_partitions(
        coalesce((select position from events order by position desc limit 1), 1), least(greatest(ahead, 0), 4))
$$;

-- ---------------------------------------------------------------------------------------------- products

-- The projection: one row an id that was ever used; `removed` rows are the last state of deleted products, whose
-- `version` is the deletion's.
create table products (
    id bigint primary key,
    version integer not null,
    code text collate "C" not null,
    name text collate "C" not null,
    model text collate "C" not null,
    price numeric(15, 4) not null,
    url text collate "C",
    expires_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    removed boolean not null
) with (fillfactor = 80);
create unique index products_code on products (code) where not removed;
create index products_live on products (id) where not removed;
create index products_expiry on products (expires_at) where expires_at is not null and not removed;

create sequence product_ids as bigint minvalue 1 maxvalue 9007199254740991;

-- ---------------------------------------------------------------------------------------------- batches of events

-- Takes the log's lock for this transaction and answers where the log ends and what time its next event gets.
-- The lock and the reads are statements of their own: under READ COMMITTED each sees what was committed before it.
create function lock_head(writer bigint, its_epoch bigint, program integer,
    out last_position bigint, out next_time timestamptz, out clock timestamptz)
language plpgsql as $$
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

-- A batch of fetches in one round trip: lock, read, append. `people`, `keys` and `generations` are the batch's distinct
-- callers (key 0: none), `caller` of each fetch an index into them from 1. Returns a row a fetch in order, with the product as it
-- was seen (`version` null: there never was one); no row at all, and nothing done, when a caller is unknown or its
-- key no longer serves: the general path then tells each of them apart.
create function append_fetches(
    writer bigint, its_epoch bigint, program integer, batch_number bigint,
    people text[], keys integer[], generations integer[],
    ids bigint[], caller integer[], auths smallint[], vias smallint[], schema_version smallint,
    request_ids uuid[], request_labels text[], traces bytea[])
returns table (
    "position" bigint, id bigint, version integer, code text, name text, model text, price bigint, url text,
    expires_at timestamptz, created_at timestamptz, updated_at timestamptz, removed boolean)
language plpgsql as $$
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

-- ---------------------------------------------------------------------------------------------- rebuild

-- Puts a table that was built beside `products` in its place, with the same grants and index names. The caller has locked
-- `products` and the head, so nobody writes; a short lock_timeout of his keeps a long reader from stopping the log. The
-- old table is dropped, or renamed to `keep_as`.
create function swap_products(replacement name, keep_as name) returns void
language plpgsql set search_path from current as $$
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
