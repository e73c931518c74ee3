"""Who owned the queues and destinations, and who wrote in an owner's name.

Triggers in the run's database write down every take-over, every step of a cursor and every write to a queue's journal,
with the process that made it: each process tells its name with the connection (`crash.server`). Rules:

  cursor  a destination's cursor never goes back
  epoch   the epoch of a queue or destination only grows
  fence   under an epoch only the process that took it writes
"""
from typing import NamedTuple, Optional

from checker import Fault, query

INSTALL_SQL = """
create schema crash;
create table crash.moves (
    serial bigint primary key generated always as identity, at timestamptz not null default clock_timestamp(),
    kind text not null, name text not null, server text, is_take boolean not null, epoch bigint not null,
    cursor bigint);
create table crash.writes (queue_id smallint, epoch bigint, server text, primary key (queue_id, epoch, server));

-- Serials follow the order of the moves: they are given under the row's lock.
create function crash.note_move() returns trigger language plpgsql as $$
begin
    insert into crash.moves (kind, name, server, is_take, epoch, cursor)
    values (tg_table_name, new.name, current_setting('crash.server', true), new.epoch <> old.epoch, new.epoch,
        (to_jsonb(new) ->> 'cursor')::bigint);
    return null;
end $$;
create trigger note_move after update of epoch on rastro.queues for each row
    when (old.epoch <> new.epoch) execute function crash.note_move();
create trigger note_move after update of epoch, cursor on rastro.destinations for each row
    when (old.epoch <> new.epoch or old.cursor <> new.cursor) execute function crash.note_move();

create function crash.note_write() returns trigger language plpgsql as $$
begin
    insert into crash.writes (queue_id, epoch, server)
    select distinct q.queue_id, q.epoch, coalesce(current_setting('crash.server', true), '')
    from changed join rastro.queues q using (queue_id)
    on conflict do nothing;
    return null;
end $$;
"""
WATCH_SQL = """
create trigger note_{event} after {event} on rastro.{table} referencing {image} table as changed
    for each statement execute function crash.note_write();
"""
JOURNALS = ("queue_leases", "queue_pending")
IMAGES = {"insert": "new", "update": "new", "delete": "old"}
MOVES_SQL = """
select json_build_array(kind, name, server, is_take, epoch, cursor, extract(epoch from at)) from crash.moves
order by serial
"""
WRITES_SQL = """
select json_build_array(q.name, w.epoch, w.server) from crash.writes w join queues q using (queue_id)
order by w.queue_id, w.epoch, w.server
"""
FREE_SQL = """
select json_build_array('queues', name) from queues where owner is null
union all select json_build_array('destinations', name) from destinations where owner is null
"""


class Move(NamedTuple):
    """A take-over, or a step of a cursor. `at` is in seconds."""

    kind: str
    name: str
    server: str
    is_take: bool
    epoch: int
    cursor: Optional[int] = None
    at: float = 0.0


class Write(NamedTuple):
    """A process has written to the journal of a queue while that had this epoch."""

    name: str
    epoch: int
    server: str


def install_sql() -> str:
    return INSTALL_SQL + "".join(WATCH_SQL.format(event=event, table=table, image=image)
                                 for table in JOURNALS for event, image in IMAGES.items())


def read_moves(url: str) -> list:
    return [Move(*row[:6], float(row[6])) for row in query(url, MOVES_SQL)]


def read_writes(url: str) -> list:
    return [Write(*row) for row in query(url, WRITES_SQL)]


def owners(url: str) -> dict:
    """The process that owns each queue and destination, by (kind, name); without those that nobody owns."""
    found = {(move.kind, move.name): move.server for move in read_moves(url) if move.is_take}
    for row in query(url, FREE_SQL):
        found.pop(tuple(row), None)
    return found


def faults(moves: list, writes: list) -> list:
    found: list = []
    takers: dict = {}
    newest: dict = {}
    for move in moves:
        what = f"{move.kind} {move.name}"
        epoch, cursor = newest.get(what, (0, 0))
        if move.epoch < epoch or (move.is_take and move.epoch == epoch):
            found.append(Fault("epoch", f"{what} goes from epoch {epoch} to {move.epoch} by {move.server}"))
        if move.cursor is not None and move.cursor < cursor:
            found.append(Fault("cursor", f"{what} goes back from {cursor} to {move.cursor} by {move.server}"))
        newest[what] = (move.epoch, max(cursor, move.cursor or 0))
        if move.is_take:
            takers[what, move.epoch] = move.server
        elif takers.get((what, move.epoch)) != move.server:
            found.append(Fault("fence", f"{what} is moved to {move.cursor} by {move.server} in epoch {move.epoch}, "
                                        f"which {takers.get((what, move.epoch))} has taken"))
    for write in writes:
        taker = takers.get((f"queues {write.name}", write.epoch))
        if taker != write.server:
            found.append(Fault("fence", f"the journal of {write.name} is written by {write.server} in epoch "
                                        f"{write.epoch}, which {taker} has taken"))
    return found
