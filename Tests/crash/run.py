#!/usr/bin/env python3
"""The crash harness: real servers, a real PostgreSQL, load, faults, and a checker that trusts nobody.

For every run a fresh database, destinations outside, two `rastro serve`, clients and consumers on both; then the fault
(in a short run several, one after another), recovery, the end of the load and a graceful stop. What the checkers find
in the log, in the queue, at the destinations and among the owners, and what a fault saw, makes a run fail.

Usage: run.py [--short] [--rastro PATH] [--runs N] [--fault NAME …] [--destination KIND …] [--seed S] [--keep]
"""
import argparse
import atexit
import random
import shutil
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import checker
import consumer
import deliveries
import destinations
import faults
import ownership
import test_checker
import test_proxy
from cluster import Cluster
from load import Load
from proxy import Proxy
from server import Server, command, create_key

ROOT = Path(__file__).resolve().parents[2]
USERS = ("ana", "bob", "josé")
WRITER_SCOPES, READER_SCOPES = "products:read,products:write", "products:read,queue:consume"
TEMPLATE = "rastro_template"
PATIENCE_SECONDS = 30
# Messages that were handed out when a server or a connection died come again after seconds, not half a minute.
HASTEN_SQL = "update rastro.queues set visibility_timeout = interval '2 seconds'"
LEAST_ACKNOWLEDGED = 30
LAST_POSITION_SQL = "select to_json(coalesce(max(position), 0)) from events"


@dataclass
class Result:
    faults: tuple
    seed: int
    counts: dict = field(default_factory=dict)
    events: int = 0
    stall: float = 0.0
    lag: float = 0.0
    seconds: float = 0.0
    takeover: float = 0.0
    # By place: events that came, repeats that were known by their id there (None: it does not tell), repeats kept.
    places: dict = field(default_factory=dict)
    wrong: list = field(default_factory=list)
    detail: str = ""


class Harness:
    def __init__(self, binary: str, directory: Path, short: bool, kinds: list) -> None:
        self.binary, self.directory, self.short, self.kinds = binary, directory, short, kinds
        self.cluster = Cluster(directory / "postgres")
        self.users: list = []
        self.reader: tuple = ("", "")
        # What signs requests to the queue.
        self.pair: tuple = ("", "")
        self.running: list = []

    def prepare(self) -> None:
        """A template database with users and keys, from which every run's is copied."""
        self.cluster.start()
        self.cluster.execute("postgres", f"create database {TEMPLATE}")
        url = self.cluster.url(TEMPLATE)
        command(self.binary, url, self.directory, "migrate")
        if checker.query(url, checker.HAS_CONSUMER_SQL) == [True]:
            self.cluster.execute(TEMPLATE, HASTEN_SQL)
        server = self.new_server(url, "template")
        server.start()
        for user in USERS:
            self.users.append((user, create_key(self.binary, url, self.directory, user, WRITER_SCOPES)["key"]))
        key = create_key(self.binary, url, self.directory, "eve", READER_SCOPES)
        self.reader = ("eve", key["key"])
        self.pair = (key["awsAccessKeyId"], key["awsSecretAccessKey"])
        wrong = server.stop()
        if wrong:
            raise RuntimeError(wrong)
        self.cluster.execute(TEMPLATE, ownership.install_sql())

    def new_server(self, url: str, name: str) -> Server:
        server = Server(self.binary, url, self.directory, name)
        self.running.append(server)
        return server

    def run(self, chosen: tuple, seed: int) -> Result:
        result, source, began = Result(chosen, seed), random.Random(seed), time.monotonic()
        name = f"run_{chosen[0].replace('-', '_')}_{seed}"
        self.cluster.execute("postgres", f"create database {name} template {TEMPLATE}")
        proxy = Proxy(self.cluster.port)
        servers = [self.new_server(self.cluster.url(name, proxy.port), f"{name}_0"),
                   self.new_server(self.cluster.url(name), f"{name}_1")]
        outside: list = []
        try:
            outside = destinations.add(self.kinds, self.binary, self.cluster.url(name), self.directory, name, seed)
            # Whoever comes first owns the queues and destinations.
            for server in source.sample(servers, 2):
                server.start()
            load = Load(servers, self.users, self.reader, seed, clients=8)
            scene = faults.Scene(self.cluster, name, servers, proxy, load, source, self.short, outside, self.pair,
                                 deliveries.Deliveries())
            last = self.play(result, scene)
            log = checker.read_log(scene.url)
            self.judge(result, scene, log)
            self.judge_deliveries(result, scene, log, last)
        except (RuntimeError, OSError, faults.Failed) as error:
            result.wrong.append(str(error))
        finally:
            for server in servers:
                server.kill()
                self.running.remove(server)
            destinations.close(outside)
            proxy.close()
            self.cluster.start()
        result.seconds = time.monotonic() - began
        if not result.wrong and not self.short:
            self.cluster.execute("postgres", f"drop database {name} with (force)")
        return result

    def play(self, result: Result, scene: faults.Scene) -> int:
        """Returns the log's last position, up to which everything must have come out."""
        scene.load.start()
        consumers = [consumer.Consumer(server, self.pair, scene.deliveries) for server in scene.servers]
        for each in consumers:
            each.start()
        try:
            for number, fault in enumerate(result.faults):
                began = checker_time()
                scene.wait(0.2 if number else 0.6 if self.short else 1.5)
                scene.wait_for_answers("before the fault", began, [0, 1])
                result.detail += ("; " if result.detail else "") + faults.ALL[fault](scene)
                scene.wait(0.4 if self.short else 1.0)
        except faults.Failed as error:
            result.wrong.append(str(error))
        except consumer.UNANSWERED as error:
            result.wrong.append(f"{type(error).__name__}: {error}")
        finally:
            result.wrong += scene.load.finish()
        result.stall, result.takeover = max(scene.stalls, default=0.0), max(scene.takeovers, default=0.0)
        waited = time.monotonic()
        result.wrong += self.await_consumer(scene)
        last = int(checker.query(scene.url, LAST_POSITION_SQL)[0])
        self.await_deliveries(scene, last)
        result.lag = time.monotonic() - waited
        for each in consumers:
            each.ending.set()
        with ThreadPoolExecutor(2 if self.short else 1) as pool:
            result.wrong += filter(None, pool.map(lambda server: server.died() or server.stop(), scene.servers))
        return last

    def await_consumer(self, scene: faults.Scene) -> list:
        """Until the built-in consumer has counted every event; what is wrong when it does not get there."""
        if not checker.has_consumer(scene.url):
            return []
        lag = await_none(lambda: checker.consumer_lag(scene.url))
        return [f"the consumer stands still, {lag} events behind"] if lag else []

    def await_deliveries(self, scene: faults.Scene, last: int) -> None:
        """Until every event has come through the queue and to each destination, or nothing moves any more."""
        await_none(lambda: scene.deliveries.missing(last))
        for destination in scene.destinations:
            await_none(lambda here=destination: here.missing(last))

    def judge(self, result: Result, scene: faults.Scene, log: checker.Log) -> None:
        history = scene.load.history.requests
        for outcome in ("acknowledged", "refused", "unknown"):
            result.counts[outcome] = sum(request.outcome == outcome for request in history)
        thin = [server for server in (0, 1) if acknowledged(history, server) < LEAST_ACKNOWLEDGED]
        if thin:
            result.wrong.append(f"the load was too thin to mean anything on server {thin}")
        broken = [request for request in history if request.status == 500]
        if broken:
            result.wrong.append(f"{len(broken)} requests were answered 500, first {broken[0].request}")
        path = self.directory / f"{scene.database}.history"
        scene.load.history.write(str(path))
        result.events = len(log.events)
        found = checker.check(checker.read_history(str(path)), log)
        result.wrong += first(found, path)
        if not self.short:
            command(self.binary, scene.url, self.directory, "verify")

    def judge_deliveries(self, result: Result, scene: faults.Scene, log: checker.Log, last: int) -> None:
        came = scene.deliveries
        found = ownership.faults(ownership.read_moves(scene.url), ownership.read_writes(scene.url))
        found += deliveries.check(consumer.QUEUE, came.list, log.events, last, deleted=came.deleted)
        result.places[consumer.QUEUE] = (len(came.positions), None, came.repeats)
        for destination in scene.destinations:
            kept = destination.deliveries()
            found += deliveries.check(destination.name, kept, log.events, last, destination.in_line)
            distinct = len({delivery.position for delivery in kept})
            result.places[destination.name] = (distinct, destination.dropped(), len(kept) - distinct)
        result.wrong += first(found, f"the database {scene.database}")

    def close(self) -> None:
        for server in list(self.running):
            server.kill()
        if self.cluster.process is not None:
            self.cluster.stop_immediately()


def await_none(count: Callable) -> int:
    """Until nothing is left, or what is left has not become less for a long time; how much that is."""
    least, deadline = count(), time.monotonic() + PATIENCE_SECONDS
    while least > 0 and time.monotonic() < deadline:
        time.sleep(0.1)
        left = count()
        if left < least:
            least, deadline = left, time.monotonic() + PATIENCE_SECONDS
    return least


def first(found: list, where: str) -> list:
    """The first faults as text, and how many there are besides."""
    more = [f"and {len(found) - 10} faults more; see {where}"] if len(found) > 10 else []
    return [str(fault) for fault in found[:10]] + more


def acknowledged(history: list, server: int) -> int:
    return sum(request.server == server and request.outcome == "acknowledged" for request in history)


def checker_time() -> int:
    return time.time_ns() // 1000


def print_tables(results: list) -> None:
    header = ("fault", "runs", "acknowledged", "refused", "unknown", "events", "longest stall", "longest take-over",
              "verdict")
    rows = [header]
    for chosen in dict.fromkeys(result.faults for result in results):
        mine = [result for result in results if result.faults == chosen]
        sums = [sum(result.counts.get(name, 0) for result in mine) for name in header[2:5]]
        failed = sum(bool(result.wrong) for result in mine)
        takeover = max(result.takeover for result in mine)
        rows.append((" + ".join(chosen), len(mine), *sums, sum(result.events for result in mine),
                     f"{max(result.stall for result in mine):.2f} s", f"{takeover:.2f} s" if takeover else "–",
                     f"{failed} failed" if failed else "passed"))
    print_table(rows)
    rows = [("place", "runs", "events", "came again, dropped there", "came again, left to the inbox")]
    for place in dict.fromkeys(place for result in results for place in result.places):
        mine = [result.places[place] for result in results if place in result.places]
        dropped = [counts[1] for counts in mine]
        rows.append((place, len(mine), sum(counts[0] for counts in mine), "–" if None in dropped else sum(dropped),
                     sum(counts[2] for counts in mine)))
    print_table(rows)


def print_table(rows: list) -> None:
    widths = [max(len(str(row[column])) for row in rows) for column in range(len(rows[0]))]
    print()
    for row in rows:
        print("  ".join(str(value).ljust(width) if column in (0, 8) else str(value).rjust(width)
                        for column, (value, width) in enumerate(zip(row, widths))).rstrip())


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Injects faults under load and checks the log afterwards.")
    parser.add_argument("--short", action="store_true", help="each fault once, several in a run")
    parser.add_argument("--rastro", "--binary", default=None, help="the binary (default: the newest that was built)")
    parser.add_argument("--runs", type=int, default=None, help="runs of each fault (default 20, with --short 1)")
    parser.add_argument("--fault", nargs="+", action="extend", choices=list(faults.ALL), help="only these")
    parser.add_argument("--destination", nargs="+", action="extend", choices=list(destinations.KINDS),
                        help=f"relay to these (default: {' '.join(destinations.DEFAULT)})")
    parser.add_argument("--seed", type=int, default=None, help="of the first run; printed, so that it can be repeated")
    parser.add_argument("--keep", action="store_true", help="keep logs and histories even when all is well")
    return parser.parse_args()


def find_binary(named: str) -> str:
    if named:
        found = [Path(named)]
    else:
        found = sorted(ROOT.glob(".build*/*/rastro"), key=lambda path: path.stat().st_mtime)[-1:]
    if not found or not found[0].exists():
        sys.exit("there is no rastro binary: build it, or name one with --rastro")
    return str(found[0].resolve())


def main() -> int:
    options = parse()
    binary = find_binary(options.rastro)
    runs = options.runs or (1 if options.short else 20)
    seed = options.seed if options.seed is not None else random.randrange(1, 1_000_000)
    directory = Path(tempfile.mkdtemp(prefix="rastro-crash-"))
    directory.chmod(0o755)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    missed = test_checker.missed(test_checker.SEED) + test_proxy.missed()
    if missed:
        sys.exit("the harness itself is not to be trusted:\n" + "\n".join(missed))
    print(f"checkers: find all {test_checker.COUNT} planted faults")
    print(f"crash harness: seed {seed}, {runs} run{'s' if runs > 1 else ''} of each fault", flush=True)
    harness = Harness(binary, directory, options.short, options.destination or list(destinations.DEFAULT))
    atexit.register(harness.close)
    harness.prepare()
    results = []
    if options.fault or not options.short:
        plan = [(fault,) for fault in options.fault or faults.ALL]
    else:
        plan = faults.SHORT
    for chosen in plan:
        for run in range(runs):
            result = harness.run(chosen, seed + run)
            results.append(result)
            verdict = "FAILED" if result.wrong else "passed"
            print(f"{verdict}  {' + '.join(chosen)} (seed {result.seed}): {result.detail}; "
                  f"the consumers caught up in {result.lag:.1f} s; {result.seconds:.0f} s in all", flush=True)
            for line in result.wrong:
                print(f"        {line}", flush=True)
    print_tables(results)
    failed = sum(bool(result.wrong) for result in results)
    harness.close()
    if failed or options.keep:
        print(f"logs and histories: {directory}")
    else:
        shutil.rmtree(directory, ignore_errors=True)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
