#!/usr/bin/env python3
"""The crash harness: real servers, a real PostgreSQL, load, faults, and a checker that trusts nobody.

For every run a fresh database, two `rastro serve` on it, clients on both; then the fault, recovery, the end of the
load and a graceful stop. What the checker finds, and what a fault saw, makes a run fail.

Usage: run.py [--short] [--rastro PATH] [--runs N] [--fault NAME …] [--seed S] [--keep]
"""
import argparse
import atexit
import random
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import checker
import consumer
import faults
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
CATCH_UP_SECONDS = 45
# Messages that were handed out when a server or a connection died come again after seconds, not half a minute.
HASTEN_SQL = "update rastro.queues set visibility_timeout = interval '2 seconds'"
LEAST_ACKNOWLEDGED = 30
LAST_POSITION_SQL = "select to_json(coalesce(max(position), 0)) from events"


@dataclass
class Result:
    fault: str
    seed: int
    counts: dict = field(default_factory=dict)
    events: int = 0
    stall: float = 0.0
    lag: float = 0.0
    receipts: int = 0
    wrong: list = field(default_factory=list)
    detail: str = ""


class Harness:
    def __init__(self, binary: str, directory: Path, short: bool) -> None:
        self.binary, self.directory, self.short = binary, directory, short
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

    def new_server(self, url: str, name: str) -> Server:
        server = Server(self.binary, url, self.directory, name)
        self.running.append(server)
        return server

    def run(self, fault: str, seed: int) -> Result:
        result = Result(fault, seed)
        name = f"run_{fault.replace('-', '_')}_{seed}"
        self.cluster.execute("postgres", f"create database {name} template {TEMPLATE}")
        proxy = Proxy(self.cluster.port)
        servers = [self.new_server(self.cluster.url(name, proxy.port), f"{name}_0"),
                   self.new_server(self.cluster.url(name), f"{name}_1")]
        try:
            for server in servers:
                server.start()
            load = Load(servers, self.users, self.reader, seed, clients=8)
            scene = faults.Scene(self.cluster, name, servers, proxy, load, random.Random(seed), self.short)
            self.play(result, scene)
            self.judge(result, scene)
        except (RuntimeError, OSError, faults.Failed) as error:
            result.wrong.append(str(error))
        finally:
            for server in servers:
                server.kill()
                self.running.remove(server)
            proxy.close()
            self.cluster.start()
        if not result.wrong:
            self.cluster.execute("postgres", f"drop database {name} with (force)")
        return result

    def play(self, result: Result, scene: faults.Scene) -> None:
        scene.load.start()
        receipts = consumer.Receipts()
        consumers = [consumer.Consumer(server, self.pair, receipts) for server in scene.servers]
        for each in consumers:
            each.start()
        try:
            began = checker_time()
            scene.wait(0.6 if self.short else 1.5)
            scene.wait_for_answers("before the fault", began, [0, 1])
            result.detail = faults.ALL[result.fault](scene)
            scene.wait(0.4 if self.short else 1.0)
        except faults.Failed as error:
            result.wrong.append(str(error))
        finally:
            result.wrong += scene.load.finish()
        result.stall = max(scene.stalls, default=0.0)
        waited = time.monotonic()
        result.wrong += self.await_consumer(scene)
        result.wrong += self.await_receipts(scene, receipts)
        result.lag = time.monotonic() - waited
        result.receipts = len(receipts.list)
        for each in consumers:
            each.ending.set()
        for server in scene.servers:
            wrong = server.died() or server.stop()
            if wrong:
                result.wrong.append(wrong)

    def await_consumer(self, scene: faults.Scene) -> list:
        """Until the built-in consumer has counted every event; what is wrong when it does not get there."""
        url = self.cluster.url(scene.database)
        if not checker.has_consumer(url):
            return []
        deadline = time.monotonic() + CATCH_UP_SECONDS
        while (lag := checker.consumer_lag(url)) != 0:
            if time.monotonic() > deadline:
                return [f"the consumer lags {lag} events behind after {CATCH_UP_SECONDS} s"]
            time.sleep(0.1)
        return []

    def await_receipts(self, scene: faults.Scene, receipts: consumer.Receipts) -> list:
        """Until every event has come through the queue for the outside; what is wrong with what came."""
        last = int(checker.query(self.cluster.url(scene.database), LAST_POSITION_SQL)[0])
        consumer.await_all(receipts, last, CATCH_UP_SECONDS)
        found = receipts.faults(last)
        return found[:5] + ([f"and {len(found) - 5} faults more of the receipts"] if len(found) > 5 else [])

    def judge(self, result: Result, scene: faults.Scene) -> None:
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
        log = checker.read_log(self.cluster.url(scene.database))
        result.events = len(log.events)
        found = checker.check(checker.read_history(str(path)), log)
        result.wrong += [str(fault) for fault in found[:10]]
        if not self.short:
            command(self.binary, self.cluster.url(scene.database), self.directory, "verify")
        if len(found) > 10:
            result.wrong.append(f"and {len(found) - 10} faults more; see {path}")

    def close(self) -> None:
        for server in list(self.running):
            server.kill()
        self.cluster.stop()


def acknowledged(history: list, server: int) -> int:
    return sum(request.server == server and request.outcome == "acknowledged" for request in history)


def checker_time() -> int:
    return time.time_ns() // 1000


def print_table(results: list) -> None:
    header = ("fault", "runs", "acknowledged", "refused", "unknown", "events", "receipts", "longest stall", "verdict")
    rows = [header]
    for fault in dict.fromkeys(result.fault for result in results):
        mine = [result for result in results if result.fault == fault]
        sums = [sum(result.counts.get(name, 0) for result in mine) for name in header[2:5]]
        failed = sum(bool(result.wrong) for result in mine)
        rows.append((fault, len(mine), *sums, sum(result.events for result in mine),
                     sum(result.receipts for result in mine),
                     f"{max(result.stall for result in mine):.2f} s", f"{failed} failed" if failed else "passed"))
    widths = [max(len(str(row[column])) for row in rows) for column in range(len(header))]
    print()
    for row in rows:
        print("  ".join(str(value).ljust(width) if column in (0, 8) else str(value).rjust(width)
                        for column, (value, width) in enumerate(zip(row, widths))).rstrip())


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Injects faults under load and checks the log afterwards.")
    parser.add_argument("--short", action="store_true", help="one quick run of each fault")
    parser.add_argument("--rastro", "--binary", default=None, help="the binary (default: the newest that was built)")
    parser.add_argument("--runs", type=int, default=None, help="runs of each fault (default 20, with --short 1)")
    parser.add_argument("--fault", nargs="+", action="extend", choices=list(faults.ALL), help="only these")
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
    missed = test_checker.missed(test_checker.SEED) + test_proxy.missed() + consumer.missed()
    if missed:
        sys.exit("the harness itself is not to be trusted:\n" + "\n".join(missed))
    print(f"checker: finds all {len(test_checker.PLANTED)} planted faults")
    print(f"crash harness: seed {seed}, {runs} run{'s' if runs > 1 else ''} of each fault", flush=True)
    harness = Harness(binary, directory, options.short)
    atexit.register(harness.close)
    harness.prepare()
    results = []
    chosen = options.fault or [name for name in faults.ALL if not options.short or name not in faults.LONG]
    for fault in chosen:
        for run in range(runs):
            result = harness.run(fault, seed + run)
            results.append(result)
            verdict = "FAILED" if result.wrong else "passed"
            print(f"{verdict}  {fault} (seed {result.seed}): {result.detail}; "
                  f"the consumers caught up in {result.lag:.1f} s", flush=True)
            for line in result.wrong:
                print(f"        {line}", flush=True)
    print_table(results)
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
