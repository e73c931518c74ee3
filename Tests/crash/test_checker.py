#!/usr/bin/env python3
"""Shows that the checkers find what they are there to find.

A small good history with its log is made in memory, what came out of it at a place outside, and who owned what
meanwhile; the checkers must find nothing in them. Then each planted fault is put into a copy, and a fault of the rule
that it breaks must be reported. Prints a line a fault, ends
with `N passed, N failed`, exits 1 when one was missed.

Usage: test_checker.py [--seed S]
"""
import argparse
import copy
import json
import random
import sys
from decimal import Decimal

import deliveries
import ownership
from checker import (CREATED, DELETED, DENIED, FETCHED, NOT_FOUND, TYPE_NAMES, UPDATED, USER_REGISTERED, Event, Log,
                     Request, check, day_of)
from deliveries import Delivery, message
from ownership import Move, Write

OPERATED = 11
SEED = 7


class Case:
    """A history and a log that belong together."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.history: list = []
        self.events: list = []
        self.products: dict = {}
        self.time = 1_700_000_000_000_000
        self.serial = 0
        self.append(OPERATED, "role:rastro", None, data={"action": "server.started"})
        for number, user in enumerate(("ana", "bob", "eve"), start=1):
            self.append(USER_REGISTERED, user, None, data={"userNo": number})

    @property
    def log(self) -> Log:
        rows = [dict(row, price=str(row["price"])) for row in self.products.values()]
        return Log(events=self.events, products=rows, activity=self.activity)

    def append(self, type: int, user: str, label, product=None, version=None, code=None, data=None) -> Event:
        self.time += self.random.randint(1, 5_000)
        event = Event(len(self.events) + 1, type, self.time, user, label, product, version, code, data)
        self.events.append(event)
        return event

    def request(self, op: str, user: str, **about) -> Request:
        self.serial += 1
        self.time += 1_000
        request = Request(f"r{self.serial}", user, op, start=self.time, end=0, outcome="acknowledged", **about)
        self.history.append(request)
        return request

    def finish(self, request: Request, status: int, position=None, answer=None, outcome="acknowledged") -> None:
        self.time += 1_000
        request.end, request.status, request.outcome = self.time, status, outcome
        request.position, request.answer = position, answer

    def shown(self, row: dict) -> dict:
        names = ("id", "code", "name", "model", "price", "url", "version")
        return {**{name: row[name] for name in names}, "createdAt": row["created_at"], "updatedAt": row["updated_at"]}

    # Each performs one request as a good server would.

    def create(self, user: str, id: int, unknown: bool = False) -> None:
        body = {"code": f"C{id}", "name": f"Desk {id}", "model": "D-1", "price": Decimal(id) + Decimal("0.5")}
        request = self.request("create", user, body=body)
        event = self.append(CREATED, user, request.request, id, 1, body["code"], dict(body))
        self.products[id] = dict(body, id=id, version=1, url=None, expiresAt=None, removed=False,
                                 created_at=event.recorded_at, updated_at=event.recorded_at)
        if unknown:
            self.finish(request, 0, outcome="unknown")
        else:
            self.finish(request, 201, event.position, [self.shown(self.products[id])])

    def fetch(self, op: str, user: str, id: int, unknown: bool = False) -> None:
        row = self.products[id]
        request = self.request(op, user, product=id)
        event = self.append(FETCHED, user, request.request, id, row["version"], row["code"])
        if unknown:
            self.finish(request, 0, outcome="unknown")
        else:
            self.finish(request, 200, event.position, [self.shown(row)])

    def list(self, user: str, unknown: bool = False) -> None:
        live = [row for row in self.products.values() if not row["removed"]][:4]
        request = self.request("list", user)
        for row in live:
            event = self.append(FETCHED, user, request.request, row["id"], row["version"], row["code"])
        if unknown:
            self.finish(request, 0, outcome="unknown")
        else:
            self.finish(request, 200, event.position, [self.shown(row) for row in live])

    def change(self, op: str, user: str, id: int, price: str, if_match: bool = False, unknown: bool = False) -> None:
        row = self.products[id]
        request = self.request(op, user, product=id, body={"price": Decimal(price)},
                               if_match=row["version"] if if_match else None)
        change = {"price": {"from": row["price"], "to": Decimal(price)}}
        event = self.append(UPDATED, user, request.request, id, row["version"] + 1, row["code"], change)
        row.update(price=Decimal(price), version=row["version"] + 1, updated_at=event.recorded_at)
        if unknown:
            self.finish(request, 0, outcome="unknown")
        else:
            self.finish(request, 200, event.position, [self.shown(row)])

    def delete(self, user: str, id: int) -> None:
        row = self.products[id]
        request = self.request("delete", user, product=id)
        event = self.append(DELETED, user, request.request, id, row["version"] + 1, row["code"])
        row.update(version=row["version"] + 1, removed=True)
        self.finish(request, 204, event.position)

    def absent(self, user: str, id: int, status: int) -> None:
        request = self.request("get", user, product=id)
        event = self.append(NOT_FOUND, user, request.request, id)
        self.finish(request, status, event.position, outcome="refused")

    def denied(self, user: str, id: int) -> None:
        request = self.request("delete", user, product=id)
        event = self.append(DENIED, user, request.request, id)
        self.finish(request, 403, event.position, outcome="refused")

    def refused(self, op: str, user: str, status: int, **about) -> None:
        self.finish(self.request(op, user, **about), status, outcome="refused")

    def lost(self, op: str, user: str, **about) -> None:
        self.finish(self.request(op, user, **about), 0, outcome="unknown")

    # For the planted faults.

    def find(self, op: str, outcome: str = "acknowledged", status=None, has_events: bool = True) -> Request:
        for request in self.history:
            found = any(event.label == request.request for event in self.events) == has_events
            if request.op == op and request.outcome == outcome and status in (None, request.status) and found:
                return request
        raise LookupError(f"the good case has no {op} {outcome} {status}")

    def events_of(self, request: Request) -> list:
        return [event for event in self.events if event.label == request.request]

    def insert(self, event: Event) -> None:
        """Adds an event to the end, well-formed in position and time."""
        event.position, event.recorded_at = len(self.events) + 1, self.events[-1].recorded_at + 7
        self.events.append(event)

    def remove(self, event: Event) -> None:
        """Takes an event away and closes the gap, positions that were answered included."""
        self.events.remove(event)
        for later in self.events:
            later.position -= later.position > event.position
        for request in self.history:
            if request.position is not None and request.position > event.position:
                request.position -= 1


def good_case(seed: int) -> Case:
    case = Case(seed)
    for id in range(1, 7):
        case.create(case.random.choice(("ana", "bob")), id)
    case.create("ana", 7, unknown=True)
    case.fetch("get", "eve", 7, unknown=True)
    case.fetch("get", "ana", 1)
    case.fetch("head", "bob", 2)
    case.change("patch", "ana", 1, "11.25")
    case.change("put", "bob", 2, "12", if_match=True)
    case.change("patch", "eve", 1, "13.5", unknown=True)
    case.fetch("get", "bob", 1)
    case.list("eve")
    case.list("bob", unknown=True)
    case.delete("ana", 3)
    case.absent("bob", 3, 410)
    case.absent("bob", 99, 404)
    case.denied("eve", 4)
    case.refused("create", "ana", 409, body={"code": "C1"})
    case.refused("put", "ana", 412, product=2)
    case.refused("patch", "bob", 503, product=5, retry_after="1")
    case.refused("create", "bob", 422, body={})
    case.lost("patch", "bob", product=5, body={"price": Decimal(1)})
    case.lost("create", "bob", body={"code": "C50"})
    case.lost("list", "ana")
    for _ in range(12):
        id = case.random.choice((1, 2, 4, 5, 6))
        case.fetch("get", "ana", id)
        case.change("patch", "bob", id, str(case.random.randint(2_000, 900_000) / Decimal(100)))
    case.activity = {"product_activity": count(case, "product"), "user_activity": count(case, "user")}
    return case


def count(case: Case, column: str) -> dict:
    counts: dict = {}
    for event in case.events:
        key = getattr(event, column)
        if key is not None:
            slot = (key, event.type, day_of(event.recorded_at))
            number, first, _ = counts.get(slot, (0, event.recorded_at, 0))
            counts[slot] = (number + 1, first, event.recorded_at)
    return counts


# ---------------------------------------------------------------------------------------------------- planted faults


def lost_fetch(case): case.remove(case.events_of(case.find("get"))[0])


def lost_create(case):
    request = case.history[5]
    case.remove(case.events_of(request)[0])


def lost_of_list(case): case.remove(case.events_of(case.find("list"))[1])
def lost_not_found(case): case.remove(case.events_of(case.find("get", "refused", 404))[0])
def lost_denied(case): case.remove(case.events_of(case.find("delete", "refused", 403))[0])


def doubled_fetch(case): case.insert(copy.copy(case.events_of(case.find("get"))[0]))


def doubled_update(case):
    event = copy.deepcopy(case.events_of(case.find("put"))[0])
    row = case.products[event.product]
    event.version, event.data = row["version"] + 1, {"price": {"from": row["price"], "to": Decimal(77)}}
    row.update(version=event.version, price=Decimal(77))
    case.insert(event)
    row["updated_at"] = event.recorded_at


def position_gap(case):
    for event in case.events[20:]:
        event.position += 1


def position_from_zero(case):
    for event in case.events:
        event.position -= 1


def position_twice(case): case.events[11].position = case.events[10].position
def time_equal(case): case.events[9].recorded_at = case.events[8].recorded_at
def time_backwards(case): case.events[9].recorded_at = case.events[7].recorded_at - 1


def time_before_request(case):
    for event in case.events:
        event.recorded_at -= 10_000_000


def no_retry_after(case): case.find("patch", "refused", 503, has_events=False).retry_after = None


def other_etag(case):
    """Two answers of one version with ETags that differ, though nothing changed between them."""
    case.fetch("get", "ana", 4)
    case.fetch("head", "ana", 4)
    case.history[-2].etag, case.history[-1].etag = '"a"', '"b"'


def etag_of_two_versions(case):
    case.find("put").etag = case.find("head").etag = '"a"'


def wrong_user(case): case.events_of(case.find("get"))[0].user = "eve"
def no_user(case): case.events_of(case.find("get"))[0].user = None
def user_registered_twice(case): case.insert(Event(0, USER_REGISTERED, 0, "ana", data={"userNo": 1}))


def version_skipped(case):
    for event in case.events:
        if event.product == 1 and event.version and event.version > 2:
            event.version += 1
    case.products[1]["version"] += 1


def version_twice(case):
    changes = [event for event in case.events if event.product == 1 and event.type == UPDATED]
    changes[1].version = changes[0].version


def fetched_old_version(case):
    event = [event for event in case.events if event.type == FETCHED and (event.version or 0) > 2][0]
    event.version -= 1


def answered_other_version(case): case.find("get").answer[0]["version"] += 1
def answered_other_price(case): case.find("get").answer[0]["price"] = Decimal("0.01")
def answered_other_position(case): case.find("patch").position -= 1
def answered_other_product(case): case.find("get").answer[0]["id"] = 2


def unknown_twice(case):
    event = copy.deepcopy(case.events_of(case.find("patch", "unknown"))[0])
    row = case.products[event.product]
    event.version, event.data = row["version"] + 1, {"price": {"from": row["price"], "to": Decimal("13.5")}}
    row.update(version=event.version, price=Decimal("13.5"))
    case.insert(event)
    row["updated_at"] = event.recorded_at


def unknown_list_twice(case):
    for event in case.events_of(case.find("list", "unknown")):
        row = case.products[event.product]
        if not row["removed"]:
            case.insert(Event(0, FETCHED, 0, event.user, event.label, event.product, row["version"], row["code"]))


def unknown_of_another_kind(case):
    request = case.find("patch", "unknown", has_events=False)
    case.insert(Event(0, DELETED, 0, request.user, request.request, 5, case.products[5]["version"] + 1, "C5"))
    case.products[5].update(version=case.products[5]["version"] + 1, removed=True)


def unknown_about_another(case):
    request, row = case.find("patch", "unknown", has_events=False), case.products[6]
    case.insert(Event(0, FETCHED, 0, request.user, request.request, 6, row["version"], row["code"]))


def refused_with_event(case):
    request, row = case.find("patch", "refused", 503, has_events=False), case.products[5]
    case.insert(Event(0, FETCHED, 0, request.user, request.request, 5, row["version"], row["code"]))


def conflict_with_event(case):
    request = case.find("create", "refused", 409, has_events=False)
    case.insert(Event(0, DENIED, 0, request.user, request.request))


def event_of_nobody(case):
    row = case.products[4]
    case.insert(Event(0, FETCHED, 0, "ana", "r9999", 4, row["version"], row["code"]))


def lost_update(case):
    request = case.find("put")
    request.if_match -= 1


def another_change(case): case.find("patch").body["price"] = Decimal("999")


def changed_history(case):
    event = [event for event in case.events if event.type == UPDATED][2]
    event.data["price"]["from"] = Decimal("1.23")


def removed_and_fetched(case):
    deleted = case.events_of(case.find("delete"))[0]
    request = case.request("get", "ana", product=3)
    case.insert(Event(0, FETCHED, 0, "ana", request.request, 3, deleted.version, deleted.code))
    case.time = case.events[-1].recorded_at
    case.finish(request, 200, case.events[-1].position, [{"id": 3, "version": deleted.version}])


def created_again(case):
    request = case.request("create", "ana", body={"code": "C3"})
    case.insert(Event(0, CREATED, 0, "ana", request.request, 3, 1, "C3", {"code": "C3", "name": "x", "price": 1}))
    case.time = case.events[-1].recorded_at
    case.finish(request, 201, case.events[-1].position, [{"id": 3, "version": 1}])


def code_twice(case):
    request = case.find("create", "unknown", has_events=False)
    request.body = {"code": "C1"}
    data = {"code": "C1", "name": "x", "model": "", "price": 1}
    case.insert(Event(0, CREATED, 0, request.user, request.request, 50, 1, "C1", data))
    time = case.events[-1].recorded_at
    case.products[50] = dict(data, id=50, version=1, url=None, expiresAt=None, removed=False, created_at=time,
                             updated_at=time)


def out_of_order(case):
    """Two fetches of one product and version, each with the other's place in the log."""
    case.fetch("get", "ana", 4)
    case.fetch("get", "ana", 4)
    first, second = case.history[-2:]
    one, two = case.events[-2:]
    one.label, two.label = second.request, first.request
    first.position, second.position = two.position, one.position


def missing_label(case): case.events_of(case.find("get"))[0].label = None
def projection_price(case): case.products[2]["price"] += 1
def projection_version(case): case.products[2]["version"] -= 1
def projection_missing(case): del case.products[4]
def projection_extra(case): case.products[77] = dict(case.products[4], id=77)
def projection_not_removed(case): case.products[3]["removed"] = False
def projection_time(case): case.products[4]["updated_at"] += 1


def activity_doubled(case):
    key = next(iter(case.activity["product_activity"]))
    number, first, last = case.activity["product_activity"][key]
    case.activity["product_activity"][key] = (number + 1, first, last)


def activity_missing(case): case.activity["user_activity"].pop(next(iter(case.activity["user_activity"])))


PLANTED = [
    ("lost", lost_fetch), ("lost", lost_create), ("lost", lost_of_list), ("lost", lost_not_found),
    ("lost", lost_denied), ("extra", doubled_fetch), ("extra", doubled_update), ("position", position_gap),
    ("position", position_from_zero), ("position", position_twice), ("time", time_equal), ("time", time_backwards),
    ("answer", no_retry_after), ("answer", other_etag), ("answer", etag_of_two_versions),
    ("clock", time_before_request), ("user", wrong_user), ("owner", no_user), ("owner", user_registered_twice),
    ("version", version_skipped), ("version", version_twice), ("version", fetched_old_version),
    ("answer", answered_other_version), ("answer", answered_other_price), ("answer", answered_other_position),
    ("answer", answered_other_product), ("partial", unknown_twice), ("partial", unknown_list_twice),
    ("partial", unknown_of_another_kind), ("partial", unknown_about_another), ("extra", refused_with_event),
    ("extra", conflict_with_event), ("owner", event_of_nobody), ("effect", lost_update), ("effect", another_change),
    ("fold", changed_history), ("fold", removed_and_fetched), ("fold", created_again), ("code", code_twice),
    ("order", out_of_order), ("owner", missing_label), ("projection", projection_price),
    ("projection", projection_version), ("projection", projection_missing), ("projection", projection_extra),
    ("projection", projection_not_removed), ("projection", projection_time), ("activity", activity_doubled),
    ("activity", activity_missing),
]


# -------------------------------------------------------------------------------------------- what came out, planted


class Outside:
    """What came out of a good case's log at a place that keeps one line, with a repeat of every fifth."""

    def __init__(self, case: Case) -> None:
        self.events = case.events
        self.list = [self.delivery(event) for event in case.events]
        self.list[10:10] = self.list[:10:5]
        self.deleted: dict = {}
        self.in_line = True

    def delivery(self, event: Event) -> Delivery:
        about = "log" if event.product is None else str(event.product)
        data = {"position": event.position, "type": TYPE_NAMES.get(event.type, "OPERATED"), "userId": event.user,
                "productId": event.product, "version": event.version, "code": event.code, "data": event.data}
        envelope = {"id": str(event.position), "source": "//rastro/1", "data": data,
                    "subject": "log" if event.product is None else f"product/{about}"}
        return message(about, str(event.position), json.dumps(envelope, default=float))

    def check(self) -> list:
        return deliveries.check("outside", self.list, self.events, len(self.events), self.in_line, self.deleted)

    def rewrite(self, index: int, change) -> None:
        envelope = json.loads(self.list[index].body)
        change(envelope)
        self.list[index] = self.list[index]._replace(body=json.dumps(envelope))

    def of_product(self, product: int) -> list:
        """Where the events of that product stand."""
        return [index for index, delivery in enumerate(self.list) if delivery.group == str(product)]


def event_lost(outside): del outside.list[20]
def last_event_lost(outside): del outside.list[-1]
def all_lost(outside): outside.list.clear()


def swapped_of_a_product(outside):
    outside.in_line = False
    first, second = outside.of_product(1)[-2:]
    outside.list[first], outside.list[second] = outside.list[second], outside.list[first]


def swapped_in_line(outside): outside.list[3], outside.list[4] = outside.list[4], outside.list[3]
def event_of_nowhere(outside): outside.list.append(outside.list[-1]._replace(position=999, id="999"))
def other_price(outside): outside.rewrite(6, lambda envelope: envelope["data"]["data"].update(price=0.01))
def other_type(outside): outside.rewrite(-1, lambda envelope: envelope["data"].update(type="CREATED"))
def other_group(outside): outside.list[-1] = outside.list[-1]._replace(group="1000")
def marked_as_replay(outside): outside.rewrite(-1, lambda envelope: envelope.update(replay="true"))


def repeated_otherwise(outside):
    outside.list.append(outside.list[8]._replace(body=outside.list[8].body + " "))


def repeated_under_another_id(outside): outside.list.append(outside.list[8]._replace(id="9-1"))
def one_id_for_two(outside): outside.list[-1] = outside.list[-1]._replace(id=outside.list[-2].id)


def two_sources(outside):
    outside.list.append(outside.list[8])
    outside.rewrite(-1, lambda envelope: envelope.update(source="//rastro/2"))


def came_after_its_delete(outside):
    outside.list.append(outside.list[8]._replace(asked=5.0))
    outside.deleted[outside.list[8].position] = 4.9


OUTSIDE_PLANTED = [
    ("lost", event_lost), ("lost", last_event_lost), ("lost", all_lost), ("effect", event_lost),
    ("order", swapped_of_a_product), ("order", swapped_in_line), ("content", event_of_nowhere),
    ("content", other_price), ("content", other_type), ("content", other_group), ("content", marked_as_replay),
    ("content", repeated_otherwise), ("content", repeated_under_another_id), ("content", one_id_for_two),
    ("effect", two_sources), ("again", came_after_its_delete),
]


# --------------------------------------------------------------------------------------------------- owners, planted

MOVES = [
    Move("destinations", "sqs", "a.1", True, 1, 0), Move("queues", "q", "a.1", True, 1),
    Move("destinations", "sqs", "a.1", False, 1, 40), Move("destinations", "sqs", "a.1", False, 1, 41),
    Move("destinations", "sqs", "b.1", True, 2, 41), Move("destinations", "sqs", "b.1", False, 2, 60),
    Move("queues", "q", "b.1", True, 2), Move("destinations", "sqs", "a.2", True, 3, 60),
    Move("destinations", "sqs", "a.2", False, 3, 75),
]
WRITES = [Write("q", 1, "a.1"), Write("q", 2, "b.1")]


def cursor_went_back(moves, _): moves[5] = moves[5]._replace(cursor=39)
def cursor_went_back_at_takeover(moves, _): moves[4] = moves[4]._replace(cursor=40)
def moved_by_the_old_owner(moves, _): moves[5] = moves[5]._replace(server="a.1")
def moved_by_the_process_before(moves, _): moves[8] = moves[8]._replace(server="a.1")
def moved_without_a_takeover(moves, _): moves.pop(7)
def moved_in_the_old_epoch(moves, _): moves.insert(6, Move("destinations", "sqs", "a.1", False, 1, 61))
def one_epoch_twice(moves, _): moves[4:6] = [moves[4]._replace(epoch=1), moves[5]._replace(epoch=1)]
def journal_written_by_the_old_owner(_, writes): writes.append(Write("q", 2, "a.1"))
def journal_written_by_nobody(_, writes): writes.append(Write("q", 2, ""))


OWNERSHIP_PLANTED = [
    ("cursor", cursor_went_back), ("cursor", cursor_went_back_at_takeover), ("fence", moved_by_the_old_owner),
    ("fence", moved_by_the_process_before), ("fence", moved_without_a_takeover), ("epoch", moved_in_the_old_epoch),
    ("epoch", one_epoch_twice), ("fence", journal_written_by_the_old_owner), ("fence", journal_written_by_nobody),
]
COUNT = len(PLANTED) + len(OUTSIDE_PLANTED) + len(OWNERSHIP_PLANTED)


def found_in_history(seed: int, plant) -> list:
    case = good_case(seed)
    if plant:
        plant(case)
    return check(case.history, case.log)


def found_outside(seed: int, plant) -> list:
    outside = Outside(good_case(seed))
    if plant:
        plant(outside)
    return outside.check()


def found_among_owners(_: int, plant) -> list:
    moves, writes = list(MOVES), list(WRITES)
    if plant:
        plant(moves, writes)
    return ownership.faults(moves, writes)


KINDS = (
    ("case", found_in_history, PLANTED), ("place", found_outside, OUTSIDE_PLANTED),
    ("ownership", found_among_owners, OWNERSHIP_PLANTED),
)


def missed(seed: int, tell=lambda line: None) -> list:
    """What the checkers found and should not have, or did not find and should have."""
    wrong = []
    for what, find, planted in KINDS:
        found = find(seed, None)
        if found:
            wrong.append(f"the good {what} (seed {seed}) is found faulty: {'; '.join(map(str, found[:5]))}")
        else:
            tell(f"the good {what} (seed {seed}) has no fault")
        for rule, plant in planted:
            found = find(seed, plant)
            named = [fault for fault in found if fault.rule == rule]
            if named:
                tell(f"{plant.__name__:<34} {named[0]}")
            else:
                others = sorted({fault.rule for fault in found})
                wrong.append(f"{plant.__name__} (seed {seed}): no fault of rule {rule!r}, only of {others}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description="Plants faults for the checker to find.")
    parser.add_argument("--seed", type=int, default=SEED)
    wrong = missed(parser.parse_args().seed, tell=lambda line: print(f"passed  {line}"))
    for line in wrong:
        print(f"FAILED  {line}")
    print(f"{COUNT + len(KINDS) - len(wrong)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
