"""The faults, each injected under load. A function does its harm, waits for recovery and says what it did.

It raises `Failed` when the servers did not do what they promise meanwhile, or when the fault could not be injected.
"""
import random
import time
from dataclasses import dataclass, field
from typing import Callable, Optional

from cluster import Cluster, Session
from load import Load, now
from proxy import MODES, Proxy
from server import PARTITION_SIZE

OTHER_SERVER_SECONDS = 2.0
ANSWER_SECONDS = 8.0
RECOVERY_SECONDS = 15.0
BOUNDARY_SECONDS = 60.0
COMMITTER = "rastro committer%"


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
    survivor: Optional[int] = None
    stalls: list = field(default_factory=list)

    def session(self) -> Session:
        return Session(self.cluster.url(self.database))

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
    return postgres_gone(scene, scene.cluster.kill, "killed PostgreSQL")


def postgres_stop(scene: Scene) -> str:
    """The immediate stop of PostgreSQL."""
    return postgres_gone(scene, scene.cluster.stop_immediately, "stopped PostgreSQL")


def postgres_gone(scene: Scene, harm: Callable, what: str) -> str:
    """Every request is answered in bounded time, with 503 and Retry-After; then both recover by themselves."""
    start = now()
    harm()
    gone = now()
    scene.wait(4.5 if scene.short else scene.random.uniform(1.0, 8.0))
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


# Each is run by default, in this order.
ALL = {
    "server-kill": server_kill,
    "postgres-kill": postgres_kill,
    "postgres-stop": postgres_stop,
    "committer-terminated": committer_terminated,
    "cut-at-commit": cut_at_commit,
    "server-stopped": server_stopped,
    "partition-boundary": partition_boundary,
}
# Left out of a short run unless it is named.
LONG = {"partition-boundary"}
