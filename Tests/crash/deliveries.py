"""What came out of Rastro at one place: the queue for the outside, a queue of SQS, a stream.

Rules, by the name under which a fault is reported:

  lost     every event of the log came at least once
  order    the first time, a product's events came in the log's order; at a place that keeps one line, all events did
  content  what came is an event of the log, says what the log says, and says the same when it comes again
  effect   whoever keeps an inbox of (source, id) has applied every event exactly once
  again    nothing comes again after its delete was acknowledged
"""
import json
import threading
import time
from decimal import Decimal
from typing import NamedTuple, Optional

from checker import TYPE_NAMES, Event, Fault


class Delivery(NamedTuple):
    """One message. `id` is what it is known again by; `asked` is when the receive that gave it began, in seconds."""

    position: int
    group: str
    id: str
    body: str
    asked: float = 0.0


def message(group: str, id: str, body: str, asked: float = 0.0) -> Delivery:
    """Of a message's own text, in which its position stands."""
    return Delivery(int(json.loads(body)["id"]), group, id, body, asked)


class Deliveries:
    """All that came, in order, kept by many threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.list: list = []
        self.positions: set = set()
        # When the delete of a position was acknowledged.
        self.deleted: dict = {}

    def add(self, deliveries: list) -> None:
        with self.lock:
            self.list += deliveries
            self.positions.update(delivery.position for delivery in deliveries)

    def acknowledged(self, positions: list) -> None:
        with self.lock:
            for position in positions:
                self.deleted.setdefault(position, time.monotonic())

    def missing(self, last: int) -> int:
        """How many events up to `last` have not come."""
        with self.lock:
            return sum(position not in self.positions for position in range(1, last + 1))

    def newest(self) -> int:
        with self.lock:
            return max(self.positions, default=0)

    def count(self, position: int) -> int:
        with self.lock:
            return sum(delivery.position == position for delivery in self.list)

    @property
    def repeats(self) -> int:
        with self.lock:
            return len(self.list) - len(self.positions)


class DeliveryChecker:
    """Compares what came at one place with the log, of which it must have everything up to `last`."""

    def __init__(self, place: str, deliveries: list, events: list, last: int, in_line: bool, deleted: dict) -> None:
        self.place, self.deliveries, self.last, self.in_line, self.deleted = place, deliveries, last, in_line, deleted
        self.events = {event.position: event for event in events}
        self.faults: list = []
        # What an inbox of (source, id) let through.
        self.applied: list = []

    def run(self) -> list:
        self.check_lost()
        self.check_order()
        self.check_content()
        self.check_effects()
        self.check_deleted()
        return self.faults

    def fault(self, rule: str, detail: str) -> None:
        self.faults.append(Fault(rule, f"{self.place}: {detail}"))

    def check_lost(self) -> None:
        came = {delivery.position for delivery in self.deliveries}
        missing = [position for position in self.events if position <= self.last and position not in came]
        if missing:
            self.fault("lost", f"{len(missing)} of {self.last} events never came, first {missing[0]}")

    def check_order(self) -> None:
        seen, newest = set(), {}
        for delivery in self.deliveries:
            if delivery.position in seen:
                continue
            seen.add(delivery.position)
            line = "the line" if self.in_line else f"group {delivery.group}"
            if delivery.position < newest.get(line, 0):
                self.fault("order", f"event {delivery.position} of {line} first came after event {newest[line]}")
            newest[line] = max(delivery.position, newest.get(line, 0))

    def check_content(self) -> None:
        bodies, ids = {}, {}
        for delivery in self.deliveries:
            position = delivery.position
            if bodies.setdefault(position, delivery.body) != delivery.body:
                self.fault("content", f"event {position} came again with another text")
            if ids.setdefault(position, delivery.id) != delivery.id:
                self.fault("content", f"event {position} came again under another id, {delivery.id}")
            event = self.events.get(position)
            if event is None:
                self.fault("content", f"event {position} is not in the log")
                continue
            wrong = differences(delivery, event)
            if wrong:
                self.fault("content", f"event {position} differs from the log: {wrong}")
        if len(set(ids.values())) < len(ids):
            self.fault("content", "two events came under one id")

    def check_effects(self) -> None:
        inbox: set = set()
        for delivery in self.deliveries:
            envelope = json.loads(delivery.body)
            key = (envelope.get("source"), envelope.get("id"))
            if key not in inbox:
                inbox.add(key)
                self.applied.append(int(envelope["id"]))
        if len(set(self.applied)) != len(self.applied):
            twice = next(position for position in self.applied if self.applied.count(position) > 1)
            self.fault("effect", f"event {twice} is applied twice in spite of the inbox")
        wanted = [position for position in self.events if position <= self.last]
        if sorted(position for position in set(self.applied) if position <= self.last) != wanted:
            self.fault("effect", f"{len(set(self.applied))} events are applied, the log has {len(wanted)}")

    def check_deleted(self) -> None:
        for delivery in self.deliveries:
            deleted = self.deleted.get(delivery.position)
            if deleted is not None and delivery.asked > deleted:
                self.fault("again", f"event {delivery.position} came again though its delete had been acknowledged")


def differences(delivery: Delivery, event: Event) -> Optional[str]:
    """What a message says otherwise than the log; None when nothing."""
    envelope = json.loads(delivery.body, parse_float=Decimal)
    data = envelope.get("data", {})
    about = "log" if event.product is None else str(event.product)
    pairs = [("group", delivery.group, about), ("id", envelope.get("id"), str(event.position)),
             ("subject", envelope.get("subject"), "log" if event.product is None else f"product/{about}"),
             ("replay", envelope.get("replay"), None), ("position", data.get("position"), event.position),
             ("productId", data.get("productId"), event.product), ("version", data.get("version"), event.version),
             ("code", data.get("code"), event.code), ("data", data.get("data"), event.data),
             ("userId", data.get("userId"), event.user)]
    if event.type in TYPE_NAMES:
        pairs.append(("type", data.get("type"), TYPE_NAMES[event.type]))
    return "; ".join(f"{name} {came!r}, not {stood!r}" for name, came, stood in pairs if came != stood) or None


def check(place: str, deliveries: list, events: list, last: int, in_line: bool = False,
          deleted: Optional[dict] = None) -> list:
    """All faults of what came at one place; none when every promise was kept."""
    return DeliveryChecker(place, deliveries, events, last, in_line, deleted or {}).run()
