#!/usr/bin/env python3
"""Judges a server by what it answered and what its log holds. Shares no code with it.

Input: the history of every request (JSON lines, written by the harness) and the database, read with `psql`.
Rules, by the name under which a fault is reported:

  position    positions run from 1 without a gap
  time        recorded_at strictly increases
  owner       every event belongs to a request of the history, or is one that the server or the command line makes
  lost        an acknowledged request has all its events
  extra       a request has no event that its answer does not call for; a refused one has none
  partial     an unknown request has at most one whole set of events
  answer      what was answered (version, fields, X-Event-Position) is what the log says at that position
  user        an event bears the user who asked
  effect      the change is the one that was asked for; If-Match held
  order       a request that began after another was answered comes later in the log
  clock       recorded_at lies between a request's start and its end
  version     a product's versions run from 1 without a skip; a fetch names the version that stood
  fold        events fit the state that the events before them made
  code        no two live products have one code
  projection  `products` equals the fold of the events
  activity    the consumer's counts equal counts over the log, where it keeps any

Usage: checker.py --history FILE --database-url URL
"""
import argparse
import json
import os
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, Optional

from cluster import program

CREATED, UPDATED, DELETED, EXPIRED, FETCHED, NOT_FOUND, DENIED, USER_REGISTERED = range(1, 9)
TYPE_NAMES = {
    1: "CREATED", 2: "UPDATED", 3: "DELETED", 4: "EXPIRED", 5: "FETCHED", 6: "NOT_FOUND", 7: "DENIED",
    8: "USER_REGISTERED",
}
REQUEST_TYPES = range(CREATED, USER_REGISTERED)
FIELDS = ("code", "name", "model", "price", "url", "expiresAt")
# One machine, one clock; the rest is microseconds that a batch's events are apart.
CLOCK_TOLERANCE_US = 100_000


@dataclass
class Request:
    """One request of the history. `outcome` is acknowledged, refused or unknown; times are microseconds."""

    request: str
    user: str
    op: str
    start: int
    end: int
    outcome: str
    status: int = 0
    product: Optional[int] = None
    body: Optional[dict] = None
    if_match: Optional[int] = None
    position: Optional[int] = None
    answer: Optional[list] = None
    server: int = 0
    code: Optional[str] = None
    etag: Optional[str] = None
    retry_after: Optional[str] = None


@dataclass
class Event:
    position: int
    type: int
    recorded_at: int
    user: Optional[str]
    label: Optional[str] = None
    product: Optional[int] = None
    version: Optional[int] = None
    code: Optional[str] = None
    data: Optional[dict] = None


@dataclass
class Log:
    """What the database holds. `activity` maps a table's name to its counts, None where there is no such table."""

    events: list
    products: list
    activity: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    rule: str
    detail: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.detail}"


class Product:
    """The checker's own fold of one product's events."""

    def __init__(self) -> None:
        self.values: Optional[dict] = None
        self.version = 0
        self.removed: Optional[int] = None
        self.created_at = self.updated_at = 0

    @property
    def is_live(self) -> bool:
        return self.values is not None and self.removed is None

    def snapshot(self) -> dict:
        return dict(self.values or {}, version=self.version, createdAt=self.created_at, updatedAt=self.updated_at)


class Checker:
    def __init__(self, history: list, log: Log) -> None:
        self.history = history
        self.log = log
        self.faults: list = []
        self.by_label: dict = defaultdict(list)
        self.products: dict = defaultdict(Product)
        self.shown: dict = {}
        self.holder: dict = {}
        self.etags: dict = {}

    def run(self) -> list:
        self.check_positions_and_times()
        self.fold()
        self.check_owners()
        for request in self.history:
            self.check_request(request)
        self.check_order()
        self.check_projection()
        self.check_activity()
        return self.faults

    def fault(self, rule: str, detail: str) -> None:
        self.faults.append(Fault(rule, detail))

    # ------------------------------------------------------------------------------------------- the log by itself

    def check_positions_and_times(self) -> None:
        expected, last_time = 1, 0
        for event in self.log.events:
            if event.position != expected:
                self.fault("position", f"{event.position} stands where {expected} should")
            if event.recorded_at <= last_time:
                self.fault("time", f"recorded_at of {event.position} is not after the one before it")
            expected, last_time = event.position + 1, event.recorded_at

    def fold(self) -> None:
        for event in self.log.events:
            if event.product is None:
                continue
            product = self.products[event.product]
            if event.type == CREATED:
                self.fold_created(event, product)
            elif event.type == UPDATED:
                self.fold_updated(event, product)
            elif event.type in (DELETED, EXPIRED):
                self.fold_removed(event, product)
            elif event.type == FETCHED:
                self.fold_fetched(event, product)
            elif event.type == NOT_FOUND and product.is_live:
                self.fault("fold", f"NOT_FOUND at {event.position}, but product {event.product} is live")
            if event.type in (CREATED, UPDATED, FETCHED):
                self.shown[event.position] = product.snapshot()

    def fold_created(self, event: Event, product: Product) -> None:
        if product.values is not None:
            self.fault("fold", f"product {event.product} is created twice, again at {event.position}")
        if event.version != 1:
            self.fault("version", f"product {event.product} begins with version {event.version} at {event.position}")
        if not event.data:
            self.fault("fold", f"CREATED at {event.position} holds no product")
        product.values = values_of(event.data or {})
        product.version, product.removed = event.version or 0, None
        product.created_at = product.updated_at = event.recorded_at
        self.take_code(event, product)

    def fold_updated(self, event: Event, product: Product) -> None:
        if not self.expect_live(event, product):
            return
        self.expect_next_version(event, product)
        if not event.data:
            self.fault("fold", f"UPDATED at {event.position} holds no change")
        self.release_code(event, product)
        for name, change in (event.data or {}).items():
            old, new = normal(name, change.get("from")), normal(name, change.get("to"))
            if name not in FIELDS:
                self.fault("fold", f"UPDATED at {event.position} changes {name!r}")
                continue
            if old != product.values[name]:
                self.fault("fold", f"{event.position} changes {name} from {old!r}, but it was {product.values[name]!r}")
            if old == new:
                self.fault("fold", f"{event.position} changes {name} to what it was")
            product.values[name] = new
        product.version, product.updated_at = event.version or 0, event.recorded_at
        self.take_code(event, product)

    def fold_removed(self, event: Event, product: Product) -> None:
        if not self.expect_live(event, product):
            return
        self.expect_next_version(event, product)
        for name, value in (event.data or {}).items():
            if name in FIELDS and normal(name, value) != product.values[name]:
                self.fault("fold", f"{event.position} removes {name} {value!r}, but it was {product.values[name]!r}")
        self.release_code(event, product)
        product.version, product.removed = event.version or 0, event.type

    def fold_fetched(self, event: Event, product: Product) -> None:
        if not self.expect_live(event, product):
            return
        if event.version != product.version:
            self.fault("version", f"fetch at {event.position} saw {event.version}, but {product.version} stood")
        if event.code != product.values["code"]:
            self.fault("fold", f"fetch at {event.position} saw code {event.code!r}, not {product.values['code']!r}")

    def expect_live(self, event: Event, product: Product) -> bool:
        if not product.is_live:
            self.fault("fold", f"{name_of(event)} at {event.position}, but product {event.product} is not live")
        return product.is_live

    def expect_next_version(self, event: Event, product: Product) -> None:
        if event.version != product.version + 1:
            self.fault("version", f"product {event.product} goes from version {product.version} to {event.version} "
                                  f"at {event.position}")

    def take_code(self, event: Event, product: Product) -> None:
        code = product.values["code"]
        other = self.holder.get(code)
        if other not in (None, event.product):
            self.fault("code", f"{code!r} is given to product {event.product} at {event.position}, {other} holds it")
        self.holder[code] = event.product
        if event.code != code:
            self.fault("fold", f"event {event.position} says code {event.code!r}, its product has {code!r}")

    def release_code(self, event: Event, product: Product) -> None:
        if self.holder.get(product.values["code"]) == event.product:
            del self.holder[product.values["code"]]

    # ------------------------------------------------------------------------------------- the log and the requests

    def check_owners(self) -> None:
        known = {request.request for request in self.history}
        if len(known) != len(self.history):
            self.fault("owner", "the history names a request twice")
        registered = set()
        for event in self.log.events:
            if event.user is None:
                self.fault("owner", f"event {event.position} bears no user")
            if event.type == USER_REGISTERED:
                if event.user in registered:
                    self.fault("owner", f"{event.user!r} is registered twice, again at {event.position}")
                registered.add(event.user)
            elif event.type in REQUEST_TYPES:
                if event.label in known:
                    self.by_label[event.label].append(event)
                else:
                    self.fault("owner", f"{name_of(event)} at {event.position} belongs to no request")
            elif event.label in known:
                self.fault("extra", f"request {event.label} made event {event.position} of type {event.type}")

    def check_request(self, request: Request) -> None:
        events = self.by_label.get(request.request, [])
        for event in events:
            if event.user != request.user:
                self.fault("user", f"event {event.position} bears {event.user!r}, {request.user!r} asked")
        if request.outcome == "unknown":
            self.check_unknown(request, events)
            return
        if request.status in (404, 410) and request.op != "list":
            self.check_set(request, events, [(NOT_FOUND, request.product, None)])
        elif request.status == 403:
            self.check_set(request, events, [(DENIED, request.product, None)])
        elif request.outcome == "refused":
            if events:
                self.fault("extra", f"{describe(request)} was refused, but has {names(events)}")
            if request.status == 503 and request.retry_after is None:
                self.fault("answer", f"{describe(request)} has no Retry-After")
            return
        else:
            self.check_acknowledged(request, events)
        self.check_position_and_clock(request, events)

    def check_acknowledged(self, request: Request, events: list) -> None:
        shown = request.answer or []
        if request.op in ("get", "head", "list"):
            expected = [(FETCHED, item["id"], item["version"]) for item in shown]
            self.check_set(request, events, expected)
        elif request.op == "delete":
            self.check_set(request, events, [(DELETED, request.product, None)])
        elif request.op == "create":
            self.check_set(request, events, [(CREATED, shown[0]["id"], 1)])
        else:
            type = FETCHED if events and events[0].type == FETCHED else UPDATED
            self.check_set(request, events, [(type, shown[0]["id"], shown[0]["version"])])
            self.check_if_match(request, events)
        if request.op in ("get", "head", "put", "patch") and shown and shown[0]["id"] != request.product:
            self.fault("answer", f"{describe(request)} was answered with product {shown[0]['id']}")
        for event, item in zip(events, shown):
            self.check_shown(request, event, item)
        if request.etag is not None and request.op != "list" and events:
            version = (events[0].product, events[0].version)
            if self.etags.setdefault(version, request.etag) != request.etag:
                self.fault("answer", f"{describe(request)} has another ETag than version {version[1]} had before")
            if self.etags.setdefault((events[0].product, request.etag), version[1]) != version[1]:
                self.fault("answer", f"{describe(request)} has the ETag of another version")
        self.check_effect(request, shown)

    def check_set(self, request: Request, events: list, expected: list) -> None:
        if len(events) < len(expected):
            self.fault("lost", f"{describe(request)} has {names(events)}, not {len(expected)} events")
        elif len(events) > len(expected):
            self.fault("extra", f"{describe(request)} has {names(events)}, not {len(expected)} events")
        for event, (type, product, version) in zip(events, expected):
            if event.type != type:
                self.fault("answer", f"{describe(request)} made {name_of(event)} at {event.position}")
            elif event.product != product:
                self.fault("answer", f"{describe(request)}: event {event.position} is about {event.product}")
            elif version is not None and event.version != version:
                self.fault("answer", f"{describe(request)} said version {version}, event {event.position} says "
                                     f"{event.version}")

    def check_position_and_clock(self, request: Request, events: list) -> None:
        if not events:
            return
        if request.position != events[-1].position:
            self.fault("answer", f"{describe(request)} said position {request.position}, not {events[-1].position}")
        if events[-1].position - events[0].position != len(events) - 1:
            self.fault("partial", f"events of {describe(request)} are apart: {names(events)}")
        for event in events:
            early = event.recorded_at < request.start - CLOCK_TOLERANCE_US
            if early or event.recorded_at > request.end + CLOCK_TOLERANCE_US:
                self.fault("clock", f"recorded_at of {event.position} is outside {describe(request)}")

    def check_shown(self, request: Request, event: Event, item: dict) -> None:
        stood = self.shown.get(event.position)
        if stood is None:
            return
        for name, value in item.items():
            if name in FIELDS and normal(name, value) != stood.get(name):
                self.fault("answer", f"{describe(request)} showed {name} {value!r}; at {event.position} it was "
                                     f"{stood.get(name)!r}")
            if name in ("createdAt", "updatedAt") and microseconds(value) != stood[name]:
                self.fault("answer", f"{describe(request)} showed {name} {value}, not that of the log")

    def check_effect(self, request: Request, shown: list) -> None:
        if request.op not in ("create", "put", "patch") or not shown:
            return
        for name, value in (request.body or {}).items():
            if name in FIELDS and normal(name, shown[0].get(name)) != normal(name, value):
                self.fault("effect", f"{describe(request)} asked for {name} {value!r}, got {shown[0].get(name)!r}")

    def check_if_match(self, request: Request, events: list) -> None:
        if request.if_match is None or not events:
            return
        advance = 1 if events[0].type == UPDATED else 0
        if events[0].version != request.if_match + advance:
            self.fault("effect", f"{describe(request)} asked for version {request.if_match}, "
                                 f"event {events[0].position} made {events[0].version}")

    def check_unknown(self, request: Request, events: list) -> None:
        if not events:
            return
        allowed = {
            "get": (FETCHED, NOT_FOUND), "head": (FETCHED, NOT_FOUND), "list": (FETCHED,), "create": (CREATED,),
            "put": (UPDATED, FETCHED, NOT_FOUND), "patch": (UPDATED, FETCHED, NOT_FOUND),
            "delete": (DELETED, NOT_FOUND),
        }[request.op] + (DENIED,)
        about = [event.product for event in events]
        if events[-1].position - events[0].position != len(events) - 1:
            self.fault("partial", f"events of {describe(request)} are apart: {names(events)}")
        if request.op == "list":
            if len(set(about)) != len(about):
                self.fault("partial", f"{describe(request)} has its set twice: {names(events)}")
        elif len(events) > 1:
            self.fault("partial", f"{describe(request)} has {names(events)}")
        for event in events:
            if event.type not in allowed:
                self.fault("partial", f"{describe(request)} made {name_of(event)} at {event.position}")
            if request.op not in ("list", "create") and event.product != request.product:
                self.fault("partial", f"{describe(request)}: event {event.position} is about {event.product}")
            if event.recorded_at < request.start - CLOCK_TOLERANCE_US:
                self.fault("clock", f"recorded_at of {event.position} is before {describe(request)}")
        shown = self.shown.get(events[0].position)
        if events[0].type in (CREATED, UPDATED) and shown:
            self.check_effect(request, [shown])

    def check_order(self) -> None:
        """Real time: whoever was answered before another began stands before him in the log."""
        spans = []
        for request in self.history:
            events = self.by_label.get(request.request)
            if events:
                spans.append((request, events[0].position, events[-1].position))
        ended = sorted((s for s in spans if s[0].outcome != "unknown"), key=lambda s: s[0].end)
        highest, owner, index = 0, None, 0
        for request, first, _ in sorted(spans, key=lambda s: s[0].start):
            while index < len(ended) and ended[index][0].end < request.start:
                if ended[index][2] > highest:
                    highest, owner = ended[index][2], ended[index][0]
                index += 1
            if first < highest:
                self.fault("order", f"{describe(request)} stands at {first}, though {describe(owner)} at {highest} "
                                    "was answered before it began")

    # --------------------------------------------------------------------------------------- what is made from the log

    def check_projection(self) -> None:
        rows = {row["id"]: row for row in self.log.products}
        made = {id: product for id, product in self.products.items() if product.values is not None}
        if len(rows) != len(self.log.products):
            self.fault("projection", "an id stands in it twice")
        for id in rows.keys() - made.keys():
            self.fault("projection", f"product {id} stands in it, but no event made it")
        for id in made.keys() - rows.keys():
            self.fault("projection", f"product {id} is missing")
        for id in made.keys() & rows.keys():
            self.compare_row(id, rows[id], made[id])

    def compare_row(self, id: int, row: dict, product: Product) -> None:
        expected: dict = {name: product.values[name] for name in FIELDS}
        expected.update(version=product.version, removed=product.removed is not None)
        if product.is_live:
            expected.update(created_at=product.created_at, updated_at=product.updated_at)
        for name, value in expected.items():
            stored = normal(name, row.get(name)) if name in FIELDS else row.get(name)
            if stored != value:
                self.fault("projection", f"product {id} has {name} {stored!r}, the events say {value!r}")

    def check_activity(self) -> None:
        for table, column in (("product_activity", "product"), ("user_activity", "user")):
            stored = self.log.activity.get(table)
            if stored is None:
                continue
            counted: dict = {}
            for event in self.log.events:
                key = getattr(event, column)
                if key is None:
                    continue
                row = counted.setdefault((key, event.type, day_of(event.recorded_at)), [0, event.recorded_at, 0])
                row[0] += 1
                row[2] = event.recorded_at
            for key in counted.keys() | stored.keys():
                if list(stored.get(key, ())) != counted.get(key, []):
                    self.fault("activity", f"{table} {key}: {stored.get(key)}, the log says {counted.get(key)}")


# ---------------------------------------------------------------------------------------------------------- values


def values_of(data: dict) -> dict:
    return {name: normal(name, data.get(name)) for name in FIELDS}


def normal(name: str, value: Any) -> Any:
    """A field's value in the one form that is compared: prices as decimals, times as microseconds."""
    if value is None:
        return None
    if name == "price":
        return Decimal(str(value)).normalize() + 0
    if name == "expiresAt":
        return microseconds(value)
    return value


def microseconds(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = value.replace("Z", "+00:00")
    moment = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return (moment.days * 86_400 + moment.seconds) * 1_000_000 + moment.microseconds


def day_of(time: int) -> str:
    return datetime.fromtimestamp(time // 1_000_000, timezone.utc).strftime("%Y-%m-%d")


def name_of(event: Event) -> str:
    return TYPE_NAMES.get(event.type, f"type {event.type}")


def names(events: list) -> str:
    return ", ".join(f"{name_of(event)}@{event.position}" for event in events) or "no event"


def describe(request: Request) -> str:
    about = "" if request.product is None else f" {request.product}"
    return f"{request.op}{about} ({request.request}, {request.outcome} {request.status})"


def check(history: list, log: Log) -> list:
    """All faults; none when the server kept its promises."""
    return Checker(history, log).run()


# --------------------------------------------------------------------------------------------------------- reading

SEARCH_PATH = "-c search_path=rastro,public"
EVENTS_SQL = """
select json_build_object(
    'position', e.position, 'type', e.type, 'recorded_at', (extract(epoch from e.recorded_at) * 1000000)::bigint,
    'user', u.user_id, 'label', e.request_label, 'product', e.product_id, 'version', e.version, 'code', e.code,
    'data', e.data::text)
from events e left join users u using (user_no) order by e.position
"""
PRODUCTS_SQL = """
select json_build_object(
    'id', id, 'version', version, 'code', code, 'name', name, 'model', model, 'price', price::text, 'url', url,
    'expiresAt', (extract(epoch from expires_at) * 1000000)::bigint,
    'created_at', (extract(epoch from created_at) * 1000000)::bigint,
    'updated_at', (extract(epoch from updated_at) * 1000000)::bigint, 'removed', removed)
from products order by id
"""
HAS_CONSUMER_SQL = "select to_json(to_regclass('product_activity') is not null)"
CONSUMER_RUNS_SQL = "select to_json(epoch > 0) from queues where name = 'product-activity.fifo'"
ACTIVITY_SQL = {
    "product_activity": "select json_build_array(product_id, {columns}) from product_activity",
    "user_activity": "select json_build_array(u.user_id, {columns}) from user_activity join users u using (user_no)",
}
ACTIVITY_COLUMNS = """type, day, count, (extract(epoch from first_at) * 1000000)::bigint,
    (extract(epoch from last_at) * 1000000)::bigint"""
LAG_SQL = """
select to_json((select count(*) from events) - coalesce((select sum(count) from user_activity), 0))
"""


def query(url: str, sql: str) -> list:
    """Rows of one column, each read as JSON."""
    command = [program("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql]
    environment = dict(os.environ, PGOPTIONS=SEARCH_PATH)
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
    if done.returncode != 0:
        raise RuntimeError(f"psql failed: {done.stderr.strip()}")
    return [json.loads(line, parse_float=Decimal) for line in done.stdout.splitlines()]


def read_log(url: str) -> Log:
    events = []
    for row in query(url, EVENTS_SQL):
        if row["data"] is not None:
            row["data"] = json.loads(row["data"], parse_float=Decimal)
        events.append(Event(**row))
    return Log(events=events, products=query(url, PRODUCTS_SQL), activity=read_activity(url))


def has_consumer(url: str) -> bool:
    """Whether this database knows the activity tables and some server has ever run their consumer."""
    return query(url, HAS_CONSUMER_SQL) == [True] and query(url, CONSUMER_RUNS_SQL) == [True]


def consumer_lag(url: str) -> int:
    """How many events the consumer has not counted yet."""
    return int(query(url, LAG_SQL)[0])


def read_activity(url: str) -> dict:
    if not has_consumer(url):
        return {}
    tables = {}
    for table, sql in ACTIVITY_SQL.items():
        rows = query(url, sql.format(columns=ACTIVITY_COLUMNS))
        tables[table] = {(key, type, day): (count, first, last) for key, type, day, count, first, last in rows}
    return tables


def read_history(path: str) -> list:
    with open(path, encoding="utf-8") as lines:
        return [Request(**json.loads(line, parse_float=Decimal)) for line in lines]


def main() -> int:
    parser = argparse.ArgumentParser(description="Checks a history of requests against the event log.")
    parser.add_argument("--history", required=True, help="the harness's history, JSON lines")
    parser.add_argument("--database-url", required=True)
    options = parser.parse_args()
    history, log = read_history(options.history), read_log(options.database_url)
    faults = check(history, log)
    for fault in faults:
        print(fault)
    print(f"{len(history)} requests, {len(log.events)} events, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
