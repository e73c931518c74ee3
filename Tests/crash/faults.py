"""The faults, each injected under load. A function does its harm, waits for recovery and says what it did.

It raises `Failed` when the servers did not do what they promise meanwhile, or when the fault could not be injected.
"""
import json
import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Optional

import consumer
import ownership
from cluster import Cluster, Session
from deliveries import Deliveries
from load import Load, now
from proxy import MODES, Proxy
from server import PARTITION_SIZE

OTHER_SERVER_SECONDS = 2.0
ANSWER_SECONDS = 8.0
RECOVERY_SECONDS = 15.0
BOUNDARY_SECONDS = 60.0
# Within 5 s of a kill another process takes over; the rest is for a machine that does other things besides.
TAKEOVER_SECONDS = 6.5
# Longer than a lease.
PAUSE_SECONDS = 6.5
# How long the handles last that an owner gave before it was paused: much longer than the pause.
HANDLE_SECONDS = 60
PROBES = 6
COMMITTER = "rastro committer%"
# What a change of visibility is refused with when the message was deleted.
NOT_IN_FLIGHT = "does not exist or is not available for visibility timeout change"
QUEUE = ("queues", consumer.QUEUE)
TAKEOVERS_SQL = """
select json_build_array(kind, name, min(extract(epoch from at))) from crash.moves
where is_take and server <> '{server}' and at > to_timestamp({since}) group by kind, name"""


class Failed(Exception):
    """A promise that was not kept while a fault lasted."""


@dataclass
class Scene:
    """What a fault plays with. The first server reaches the database through the proxy, the second directly."""

    cluster: Cluster
    database: str
    servers: list
    proxy: Proxy
    load: Load
    random: random.Random
    short: bool
    destinations: list
    # The built-in queue for the outside: what signs requests to it, and what came.
    pair: tuple
    deliveries: Deliveries
    stalls: list = field(default_factory=list)
    takeovers: list = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.cluster.url(self.database)

    def session(self) -> Session:
        return Session(self.url)

    def wait(self, seconds: float) -> None:
        """Lets the load run on."""
        time.sleep(seconds)

    def wait_for_answers(self, what: str, since: int, servers: list) -> None:
        """Until each of these servers has acknowledged a request that began after `since`."""
        deadline = time.monotonic() + RECOVERY_SECONDS
        missing = set(servers)
        while missing:
            for request in self.load.history.since(since):
                if request.outcome == "acknowledged" and request.start > since:
                    missing.discard(request.server)
            if time.monotonic() > deadline:
                raise Failed(f"{what}: server {sorted(missing)} does not answer again after {RECOVERY_SECONDS} s")
            if missing:
                time.sleep(0.02)

    def longest_stall(self, server: int, start: int, end: int) -> float:
        """The longest time, in seconds, in which that server acknowledged nothing."""
        ends = sorted(request.end for request in self.load.history.since(start)
                      if request.server == server and request.outcome == "acknowledged" and request.end <= end)
        moments = [start, *ends, end]
        return max(later - earlier for earlier, later in zip(moments, moments[1:])) / 1e6

    def expect_going_on(self, what: str, server: int, start: int) -> None:
        stall = self.longest_stall(server, start, now())
        self.stalls.append(stall)
        if stall > OTHER_SERVER_SECONDS:
            raise Failed(f"{what}: the other server stood still for {stall:.2f} s")

    # ------------------------------------------------------------------------------------------ owners and destinations

    def owner_of(self, what: tuple) -> int:
        """The server that owns this queue or destination, once one does."""
        deadline = time.monotonic() + RECOVERY_SECONDS
        identities = {server.identity: index for index, server in enumerate(self.servers)}
        while time.monotonic() < deadline:
            owner = ownership.owners(self.url).get(what)
            if owner in identities:
                return identities[owner]
            time.sleep(0.05)
        raise Failed(f"nobody owns {' '.join(what)} after {RECOVERY_SECONDS} s")

    def owned_by(self, server: int) -> set:
        """What that server's process owns."""
        identity = self.servers[server].identity
        return {what for what, owner in ownership.owners(self.url).items() if owner == identity}

    def expect_takeover(self, what: str, held: set, identity: str, since: int) -> float:
        """Waits until others have taken over all that a process held; the longest time that took, in seconds."""
        deadline = time.monotonic() + RECOVERY_SECONDS
        sql, session = TAKEOVERS_SQL.format(server=identity, since=since / 1e6), self.session()
        try:
            while True:
                taken = {(kind, name): at - since / 1e6 for kind, name, at in map(json.loads, session.query(sql))}
                if held <= taken.keys():
                    break
                if time.monotonic() > deadline:
                    raise Failed(f"{what}: nobody took over {sorted(held - taken.keys())} in {RECOVERY_SECONDS} s")
                time.sleep(0.05)
        finally:
            session.close()
        longest = max((taken[each] for each in held), default=0.0)
        self.takeovers.append(longest)
        if longest > TAKEOVER_SECONDS:
            raise Failed(f"{what}: it took {longest:.1f} s to take over")
        return longest

    def wait_for_deliveries(self, what: str, destinations: list) -> None:
        """Until each of these has got an event that is not older than this call."""
        position = self.load.history.last_position() + 1
        deadline = time.monotonic() + RECOVERY_SECONDS
        for destination in destinations:
            while destination.newest() < position:
                if time.monotonic() > deadline:
                    raise Failed(f"{what}: {destination.name} got nothing beyond {destination.newest()}, "
                                 f"though the log had come to {position} {RECOVERY_SECONDS} s before")
                time.sleep(0.05)


def server_kill(scene: Scene) -> str:
    """`kill -9` of one server; the other goes on, the killed one comes back."""
    victim = scene.random.randrange(2)
    start = now()
    scene.servers[victim].kill()
    scene.wait(0.8 if scene.short else 1.5)
    scene.expect_going_on("server killed", 1 - victim, start)
    back = now()
    scene.servers[victim].start()
    scene.wait_for_answers("server started again", back, [0, 1])
    return f"killed server {victim}"


def postgres_kill(scene: Scene) -> str:
    """`kill -9` of PostgreSQL."""
    return postgres_gone(scene, scene.cluster.kill, "killed PostgreSQL", 4.5)


def postgres_stop(scene: Scene) -> str:
    """The immediate stop of PostgreSQL."""
    return postgres_gone(scene, scene.cluster.stop_immediately, "stopped PostgreSQL", 1.0)


def postgres_gone(scene: Scene, harm: Callable, what: str, short: float) -> str:
    """Every request is answered in bounded time, with 503 and Retry-After; then both recover by themselves."""
    start = now()
    harm()
    gone = now()
    scene.wait(short if scene.short else scene.random.uniform(1.0, 8.0))
    back = now()
    scene.cluster.start()
    ready = now()
    scene.wait_for_answers(what, back, [0, 1])
    recovery = (now() - ready) / 1e6
    during = [request for request in scene.load.history.since(start) if request.start < back]
    shed = [request for request in during if request.status == 503]
    slowest = max((request.end - request.start for request in during), default=0) / 1e6
    scene.stalls.append(max(scene.longest_stall(server, start, now()) for server in (0, 1)))
    if slowest > ANSWER_SECONDS:
        raise Failed(f"{what}: a request waited {slowest:.1f} s for its answer")
    if not shed and back - gone > 4_000_000:
        raise Failed(f"{what}: nothing was answered 503 while it was gone")
    if any(request.retry_after is None for request in shed):
        raise Failed(f"{what}: a 503 came without Retry-After")
    return (f"{what}, {len(shed)} times 503, slowest answer {slowest:.1f} s, "
            f"going on {recovery:.1f} s after it was back")


def committer_terminated(scene: Scene) -> str:
    """`pg_terminate_backend` of one server's committer, again and again."""
    victim = 1
    session = scene.session()
    start, ended = now(), 0
    end = time.monotonic() + (1.5 if scene.short else 3.0)
    while time.monotonic() < end:
        ports = ",".join(map(str, scene.servers[victim].client_ports())) or "0"
        state = scene.random.choice(("state = 'active'", "state = 'idle in transaction'", "true"))
        ended += len(session.query(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() "
            f"and application_name like '{COMMITTER}' and client_port in ({ports}) and {state}"))
        scene.wait(scene.random.uniform(0.02, 0.2))
    session.close()
    if ended == 0:
        raise Failed("no committer was found to terminate")
    scene.expect_going_on("committer terminated", 1 - victim, start)
    scene.wait_for_answers("committer terminated", now(), [0, 1])
    return f"terminated {ended} times"


def cut_at_commit(scene: Scene) -> str:
    """The first server's connection cut before, after and long before its COMMIT gets through."""
    start = now()
    modes = list(MODES) * (1 if scene.short else 2)
    scene.random.shuffle(modes)
    for mode in modes:
        scene.proxy.arm(mode, delay=scene.random.uniform(0.1, 1.5))
        if not scene.proxy.fired.wait(5):
            scene.proxy.disarm()
            raise Failed("no commit came by to be cut")
        scene.wait_for_answers(f"connection cut ({mode})", now(), [0, 1])
        scene.wait(scene.random.uniform(0.05, 0.3))
    scene.expect_going_on("connection cut", 1, start)
    return f"cut {len(modes)} times"


def server_stopped(scene: Scene) -> str:
    """SIGSTOP of a server while it holds the head; it wakes later and must not harm."""
    victim = scene.random.randrange(2)
    server, session = scene.servers[victim], scene.session()
    tries, held = 0, False
    deadline = time.monotonic() + 15
    start = now()
    while not held and time.monotonic() < deadline:
        tries += 1
        start = now()
        server.freeze()
        time.sleep(0.03)
        held = holds_head(session, scene, victim)
        if not held:
            server.thaw()
            scene.wait(scene.random.uniform(0.01, 0.05))
    session.close()
    try:
        if not held:
            raise Failed(f"in {tries} tries the server never held the head when it was stopped")
        scene.wait(2.2 if scene.short else scene.random.uniform(2.2, 5.0))
        scene.expect_going_on("server stopped", 1 - victim, start)
    finally:
        awake = now()
        server.thaw()
    scene.wait_for_answers("server woken", awake, [0, 1])
    return f"stopped while it held the head, after {tries} tries"


def holds_head(session: Session, scene: Scene, victim: int) -> bool:
    """Whether that server's committer sits in a transaction that has locked the head."""
    via_proxy = victim == 0
    ports = set() if via_proxy else scene.servers[victim].client_ports()
    others = scene.servers[1].client_ports() if via_proxy else set()
    rows = session.query(
        "select a.client_port from pg_stat_activity a join pg_locks l using (pid) "
        "where a.datname = current_database() and a.state = 'idle in transaction' "
        f"and a.application_name like '{COMMITTER}' and l.relation = 'log_head'::regclass and l.mode = 'RowShareLock'")
    found = {int(row) for row in rows}
    return bool(found - others) if via_proxy else bool(found & ports)


def partition_boundary(scene: Scene) -> str:
    """No harm at all, but so many events that the log goes on in its next partition: nobody may notice."""
    start = now()
    scene.load.add_listers(2, limit=200)
    deadline = time.monotonic() + BOUNDARY_SECONDS
    while (last := scene.load.history.last_position()) < PARTITION_SIZE + 2_000:
        if time.monotonic() > deadline:
            raise Failed(f"the log only came to {last} in {BOUNDARY_SECONDS} s")
        scene.wait(0.1)
    for request in scene.load.history.since(start):
        if request.outcome == "unknown" or request.status >= 500:
            raise Failed(f"a request failed at the boundary: {request.op} {request.status} {request.code}")
    scene.stalls += [scene.longest_stall(server, start, now()) for server in (0, 1)]
    return f"the log came to {last}"


def relay_kill(scene: Scene) -> str:
    """`kill -9` of the process that relays to the outside; the other takes over all that it owned."""
    victim = scene.owner_of(("destinations", scene.random.choice(scene.destinations).name))
    held, identity = scene.owned_by(victim), scene.servers[victim].identity
    start = now()
    scene.servers[victim].kill()
    longest = scene.expect_takeover("relay killed", held, identity, start)
    scene.expect_going_on("relay killed", 1 - victim, start)
    scene.wait_for_deliveries("relay killed", scene.destinations)
    back = now()
    scene.servers[victim].start()
    scene.wait_for_answers("relay started again", back, [0, 1])
    return f"killed server {victim}, which owned {len(held)}; all taken over after {longest:.1f} s"


def owner_paused(scene: Scene) -> str:
    """SIGSTOP of the process that owns the queue, for longer than its lease; woken, it can acknowledge no delete."""
    victim = scene.owner_of(QUEUE)
    server = scene.servers[victim]
    return owner_interrupted(scene, victim, server.freeze, server.thaw, "paused")


def owner_cut_off(scene: Scene) -> str:
    """All that the owner says to PostgreSQL is held back for longer than its lease, and arrives then."""
    if scene.owner_of(QUEUE) != 0:
        # Only the first server's words go through the proxy.
        wrong = scene.servers[1].stop()
        if wrong:
            raise Failed(wrong)
        scene.servers[1].start()
        scene.wait_for_answers("server started again", now(), [0, 1])
    if scene.owner_of(QUEUE) != 0:
        raise Failed("the other server did not take over from one that was stopped")
    return owner_interrupted(scene, 0, scene.proxy.hold, scene.proxy.let_through, "cut off")


def owner_interrupted(scene: Scene, victim: int, harm: Callable, heal: Callable, how: str) -> str:
    server, other = scene.servers[victim], scene.servers[1 - victim]
    held, probes = scene.owned_by(victim), take_probes(scene, server)
    if consumer.delete(server, scene.pair, scene.deliveries, probes[:1]):
        raise Failed(f"a delete was refused before the owner was {how}")
    start = now()
    harm()
    try:
        pending = [PendingDelete(scene, server, probe) for probe in probes[2:]]
        longest = scene.expect_takeover(f"owner {how}", held, server.identity, start)
        # Handles outlive their owner.
        if consumer.delete(other, scene.pair, scene.deliveries, probes[1:2]):
            raise Failed("the next owner refused a delete by a handle of the one before")
        scene.wait_for_deliveries(f"owner {how}", scene.destinations)
        scene.wait(max(0.0, PAUSE_SECONDS - (now() - start) / 1e6))
        scene.expect_going_on(f"owner {how}", 1 - victim, start)
    finally:
        awake = now()
        heal()
    scene.wait_for_answers(f"the owner that was {how}", awake, [0, 1])
    expect_gone(scene, other, probes[:2])
    done, again = settle(scene, other, pending)
    return (f"server {victim}, which owned {len(held)}, was {how}; all taken over after {longest:.1f} s; "
            f"of {len(pending)} deletes that waited for it {done} were acknowledged, {again} came again")


def take_probes(scene: Scene, server: object) -> list:
    """Messages of the queue that are in flight for a while, received through that server."""
    probes: list = []
    deadline = time.monotonic() + RECOVERY_SECONDS
    while len(probes) < PROBES:
        if time.monotonic() > deadline:
            raise Failed(f"only {len(probes)} messages were to be had")
        probes += consumer.receive(server, scene.pair, scene.deliveries, MaxNumberOfMessages=PROBES - len(probes),
                                   VisibilityTimeout=HANDLE_SECONDS, WaitTimeSeconds=1)
    return probes


class PendingDelete(threading.Thread):
    """A delete that is sent to a process that does not answer now."""

    def __init__(self, scene: Scene, server: object, handle: consumer.Handle) -> None:
        super().__init__(daemon=True)
        self.scene, self.server, self.handle = scene, server, handle
        # None: nothing is known of it.
        self.is_acknowledged: Optional[bool] = None
        # How often the message came before.
        self.count = scene.deliveries.count(handle.position)
        self.start()

    def run(self) -> None:
        scene = self.scene
        try:
            self.is_acknowledged = not consumer.delete(self.server, scene.pair, scene.deliveries, [self.handle],
                                                       seconds=PAUSE_SECONDS + RECOVERY_SECONDS)
        except consumer.UNANSWERED:
            pass


def settle(scene: Scene, server: object, pending: list) -> tuple:
    """How many deletes were acknowledged, and how many of the others came again: each that was not done."""
    waiting = []
    for each in pending:
        each.join()
        if not each.is_acknowledged and is_released(scene, server, each):
            waiting.append(each)
    deadline = time.monotonic() + RECOVERY_SECONDS
    for each in waiting:
        while scene.deliveries.count(each.handle.position) == each.count:
            if time.monotonic() > deadline:
                raise Failed(f"event {each.handle.position}, whose delete was not acknowledged, never came again")
            time.sleep(0.05)
    expect_gone(scene, server, [each.handle for each in pending if each.is_acknowledged])
    return sum(each.is_acknowledged is True for each in pending), len(waiting)


def is_released(scene: Scene, server: object, delete: PendingDelete) -> bool:
    """Makes the message visible, unless it is gone: a delete that was not answered may have been done."""
    try:
        consumer.release(server, scene.pair, delete.handle)
    except consumer.Refused as error:
        if delete.is_acknowledged is False or NOT_IN_FLIGHT not in str(error):
            raise Failed(f"the handle of a delete that was refused is void: {error}") from error
        return False
    return True


def expect_gone(scene: Scene, server: object, handles: list) -> None:
    """That these are deleted, not only said to be: their visibility cannot be changed."""
    for handle in handles:
        try:
            consumer.release(server, scene.pair, handle)
        except consumer.Refused as error:
            if NOT_IN_FLIGHT in str(error):
                continue
            raise
        raise Failed(f"the delete of event {handle.position} was acknowledged, but the event is there")


def nats_kill(scene: Scene) -> str:
    """`kill -9` of the nats-server; it comes back, once without what it had not forced to disk."""
    stream = next((each for each in scene.destinations if each.name == "jetstream"), None)
    if stream is None:
        raise Failed("there is no JetStream in this run")
    others = [each for each in scene.destinations if each is not stream]
    lost = []
    rounds = (True,) if scene.short else (False, True, False)
    for is_losing in rounds:
        scene.wait_for_deliveries("before nats-server was killed", [stream])
        saved = Path(f"{stream.store}-saved")
        if is_losing:
            stream.save(saved)
            scene.wait_for_deliveries("before nats-server was killed", [stream])
        before = stream.newest()
        stream.kill()
        try:
            scene.wait_for_deliveries("nats-server killed", others)
        finally:
            if is_losing:
                stream.restore(saved)
            stream.start()
        lost.append(max(0, before - stream.newest()))
        scene.wait_for_deliveries("nats-server started again", [stream])
    return f"killed nats-server {len(rounds)} times; {max(lost)} acknowledged messages were gone at most"


# Each is run by default, in this order.
ALL = {
    "server-kill": server_kill,
    "postgres-kill": postgres_kill,
    "postgres-stop": postgres_stop,
    "committer-terminated": committer_terminated,
    "cut-at-commit": cut_at_commit,
    "server-stopped": server_stopped,
    "relay-kill": relay_kill,
    "owner-paused": owner_paused,
    "owner-cut-off": owner_cut_off,
    "nats-kill": nats_kill,
    "partition-boundary": partition_boundary,
}
# A short run plays these, several after another on the same servers; the others take too long.
SHORT = (
    ("relay-kill", "nats-kill"),
    ("postgres-kill", "postgres-stop"),
    ("server-kill", "committer-terminated", "cut-at-commit"),
    ("server-stopped", "owner-paused"),
)
