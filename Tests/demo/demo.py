#!/usr/bin/env python3
"""A product's trail, shown on a catalogue that nobody made for Rastro: this machine's Debian package index.

Imports tens of thousands of packages as products, lets several users look at them and change them over REST, then
asks what happened to one of them, who looked, what it was before and after, and rebuilds the whole from its events.
What is shown is checked as well: the demo exits 1 when anything is off. It leaves nothing behind.

Usage: demo.py [--rastro PATH] [--limit N] [--seed S]
"""
import argparse
import collections
import http.client
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Iterator, Optional

ROOT = Path(__file__).resolve().parents[2]
IMPORTER = "importer"
USERS = ("ana", "bob", "carla", "josé")
FAVOURITES = ("postgresql-15", "bash", "vim", "git", "coreutils")
FETCHES, CHANGES = 300, 60
READY_SECONDS, COMMAND_SECONDS = 90, 300
WEB_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(:\d+)?([/?#][!-~]*)?")
COLOUR = sys.stdout.isatty()


class Off(Exception):
    """Something that is not as it should be."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Shows a product's trail on the Debian package index.")
    parser.add_argument("--rastro", "--binary", default=None, help="the binary (default: the newest that was built)")
    parser.add_argument("--limit", type=int, default=None, help="at most so many packages")
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    demo = Demo(find_binary(options.rastro), options.limit, random.Random(options.seed))
    try:
        demo.run()
    except (Off, subprocess.TimeoutExpired, OSError, http.client.HTTPException) as error:
        print(f"\nOFF: {error}", file=sys.stderr)
        return 1
    finally:
        demo.clean_up()
    print("\nAll of the above was checked while it was shown.")
    return 0


class Demo:
    def __init__(self, binary: str, limit: Optional[int], source: random.Random) -> None:
        self.binary, self.limit, self.random = binary, limit, source
        self.directory = Path(tempfile.mkdtemp(prefix="rastro-demo-"))
        self.directory.chmod(0o755)
        self.data = self.directory / "data"
        self.server: Optional[Server] = None
        self.keys: dict = {}
        self.fetched: collections.Counter = collections.Counter()
        self.hero: dict = {}

    def run(self) -> None:
        heading("The catalogue: this machine's Debian package index")
        count = self.write_catalogue()
        heading("A server with a database of its own")
        self.server = Server(self.binary, self.data, self.directory)
        say(f"`rastro serve` is ready after {self.server.start():.1f} s on {self.server.address}")
        self.make_keys()
        heading("Import")
        self.import_catalogue(count)
        heading("Users at work, over REST")
        moments = self.work()
        self.tell_story(moments)
        self.rebuild()
        heading("The end")
        self.server.stop()
        say("the server took SIGTERM and exited 0")

    # ------------------------------------------------------------------------------------------------------ catalogue

    def write_catalogue(self) -> int:
        seen = set()
        with open(self.directory / "packages.ndjson", "w", encoding="utf-8") as file:
            for package in packages():
                product = product_of(package)
                if product is None or product["code"] in seen:
                    continue
                seen.add(product["code"])
                file.write(json.dumps(product, ensure_ascii=False) + "\n")
                if len(seen) == self.limit:
                    break
        expect(seen, "the package index holds no package")
        say(f"{len(seen):,} packages: package → code, version → model, Installed-Size → price, Homepage → url")
        return len(seen)

    def make_keys(self) -> None:
        for user in USERS:
            scopes = "products:read,products:write"
            made = json.loads(self.rastro("keys", "create", "--user", user, "--scopes", scopes, "--json"))
            self.keys[user] = made["key"]
        say(f"keys for {', '.join(USERS)}")

    def import_catalogue(self, count: int) -> None:
        started = time.monotonic()
        done = json.loads(self.rastro("import", "packages.ndjson", "--user", IMPORTER, "--json"))
        seconds = time.monotonic() - started
        say(f"{done['created']:,} products in {seconds:.1f} s: {count / seconds:,.0f} a second, each row an event")
        expect(done == {"created": count, "updated": 0, "unchanged": 0, "refused": 0}, f"the import says {done}")
        again = json.loads(self.rastro("import", "packages.ndjson", "--user", IMPORTER, "--json"))
        say(f"once more: {again['created']} created, {again['unchanged']:,} unchanged")
        expect(again == {"created": 0, "updated": 0, "unchanged": count, "refused": 0}, f"the import says {again}")

    # ----------------------------------------------------------------------------------------------------------- work

    def work(self) -> dict:
        """A few hundred requests; the moments before and after the changes of the product whose story is told."""
        self.hero = self.find_hero()
        others = self.some_products(40)
        say(f"product {self.hero['id']} is {self.hero['code']!r}: {self.hero['name']}")
        work = ["fetch"] * FETCHES + ["change"] * CHANGES
        self.random.shuffle(work)
        statuses: collections.Counter = collections.Counter()
        before, price = now(), self.hero["price"]
        time.sleep(0.01)
        changes = []
        for kind in work:
            user = self.random.choice(USERS)
            id = self.hero["id"] if self.random.random() < 0.15 else self.random.choice(others)
            if kind == "fetch":
                status, _, _ = self.fetch(user, id)
            else:
                new = self.random.randrange(1, 10_000_000) / 100
                status, product, _ = self.call(user, "PATCH", f"/v1/products/{id}", {"price": new})
                if id == self.hero["id"]:
                    changes.append((user, product["version"], product["price"]))
            expect(status == 200, f"{kind} of product {id} was answered {status}")
            statuses[kind] += 1
        while len(changes) < 2:
            user = self.random.choice(USERS)
            new = self.random.randrange(1, 10_000_000) / 100
            _, product, _ = self.call(user, "PATCH", f"/v1/products/{self.hero['id']}", {"price": new})
            changes.append((user, product["version"], product["price"]))
        self.refusals(others)
        time.sleep(0.01)
        say(f"{statuses['fetch']} fetches, {statuses['change']} changes, by {len(USERS)} users; each is an event")
        return {"before": before, "price before": price, "after": now(), "changes": changes}

    def refusals(self, others: list) -> None:
        victim = others[0]
        status, _, _ = self.call("bob", "DELETE", f"/v1/products/{victim}")
        expect(status == 204, f"DELETE was answered {status}")
        status, _, _ = self.call("ana", "GET", f"/v1/products/{victim}")
        expect(status == 410, f"GET of the deleted product was answered {status}")
        status, problem, _ = self.call("ana", "GET", "/v1/products/abc")
        expect(status == 400, f"GET of product 'abc' was answered {status}")
        path, wrong = f"/v1/products/{self.hero['id']}", {"price": -1, "colour": "red"}
        status, problem, _ = self.call("ana", "PATCH", path, wrong)
        expect(status == 422, f"a wrong PATCH was answered {status}")
        say(f"a PATCH with two faults: 422, {', '.join(error['pointer'] for error in problem['errors'])}")

    def find_hero(self) -> dict:
        for code in FAVOURITES:
            status, page, _ = self.call("ana", "GET", f"/v1/products?code={code}")
            expect(status == 200, f"the list was answered {status}")
            if page["items"]:
                self.fetched["ana", page["items"][0]["id"]] += 1
                return page["items"][0]
        status, page, _ = self.call("ana", "GET", "/v1/products?limit=1")
        expect(status == 200 and page["items"], "the catalogue is empty")
        self.fetched["ana", page["items"][0]["id"]] += 1
        return page["items"][0]

    def some_products(self, count: int) -> list:
        found, path = [], f"/v1/products?limit={count}"
        status, page, _ = self.call("carla", "GET", path)
        expect(status == 200, f"the list was answered {status}")
        for item in page["items"]:
            self.fetched["carla", item["id"]] += 1
            found.append(item["id"])
        return [id for id in found if id != self.hero["id"]]

    def fetch(self, user: str, id: int) -> tuple:
        answer = self.call(user, "GET", f"/v1/products/{id}")
        self.fetched[user, id] += 1
        return answer

    def call(self, user: str, method: str, path: str, body: Optional[dict] = None) -> tuple:
        """Status, decoded body and headers of one request by that user."""
        headers = {"x-api-key": self.keys[user]}
        if body is not None:
            headers["Content-Type"] = "application/merge-patch+json"
        connection = self.server.connection
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = connection.getresponse()
        content = response.read()
        return response.status, json.loads(content) if content else None, response.headers

    # ---------------------------------------------------------------------------------------------------------- story

    def tell_story(self, moments: dict) -> None:
        id = str(self.hero["id"])
        heading(f"What happened to product {id}?")
        show(self.rastro("audit", "product", id), limit=24)
        events = items(self.rastro("audit", "product", id, "--json"))
        expect(events and events[0]["type"] == "CREATED", "the story does not begin with CREATED")
        expect(events[0]["userId"] == IMPORTER, f"{events[0]['userId']} created it, not {IMPORTER}")
        positions = [event["position"] for event in events]
        expect(positions == sorted(set(positions)), "the story is not in order")
        told = [(event["userId"], event["version"], event["data"]["price"]["to"]) for event in events
                if event["type"] == "UPDATED"]
        expect(told == moments["changes"], f"the changes told are {told}, those made {moments['changes']}")
        say(f"{len(events)} events; its {len(told)} changes are the ones that were made, by whom they were made")

        heading("Who looked at it?")
        show(self.rastro("audit", "product", id, "--viewers"))
        viewers = items(self.rastro("audit", "product", id, "--viewers", "--json"))
        seen = {viewer["userId"]: viewer["count"] for viewer in viewers}
        mine = {user: count for (user, product), count in self.fetched.items() if product == self.hero["id"]}
        expect(seen == mine, f"the viewers told are {seen}, those that looked {mine}")
        say("each viewer's count is the number of fetches that he made")

        heading("What was it before, and after?")
        for moment, price in (("before", moments["price before"]), ("after", moments["changes"][-1][2])):
            show(self.rastro("audit", "product", id, "--at", moments[moment]))
            state = json.loads(self.rastro("audit", "product", id, "--at", moments[moment], "--json"))
            expect(state["product"]["price"] == price, f"{moment}: price {state['product']['price']}, not {price}")
        say(f"price {moments['price before']} before, {moments['changes'][-1][2]} after")

    def rebuild(self) -> None:
        heading("Rebuilding the catalogue from its events")
        done = json.loads(self.rastro("rebuild", "products", "--json"))
        drift = done["drift"]
        say(f"{done['events']:,} events made {done['rows']:,} rows in {done['seconds']} s; drift: {drift}")
        expect(done["swapped"], "the rebuilt projection was not swapped in")
        expect(not any(counted(value) for value in drift.values()), f"there is drift: {drift}")
        show(self.rastro("verify", "--projection", "products"))
        status, product, _ = self.call("ana", "GET", f"/v1/products/{self.hero['id']}")
        expect(status == 200 and product["code"] == self.hero["code"], "the rebuilt catalogue does not serve")
        say("no drift: the rows that were served are what the events say")

    # -------------------------------------------------------------------------------------------------------- commands

    def rastro(self, *arguments: str) -> str:
        command = [self.binary, *arguments, "--data-dir", str(self.data)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, cwd=self.directory,
                              env=environment(), check=False)
        expect(done.returncode == 0,
               f"`rastro {' '.join(arguments)}` exited {done.returncode}: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def clean_up(self) -> None:
        if self.server is not None:
            self.server.end()
        remove_cluster(self.data)
        shutil.rmtree(self.directory, ignore_errors=True)


class Server:
    """`rastro serve` with a data directory of its own, on a free port."""

    def __init__(self, binary: str, data: Path, directory: Path) -> None:
        self.command = [binary, "serve", "--data-dir", str(data), "--port", "0"]
        self.directory, self.log = directory, directory / "server.log"
        self.process: Optional[subprocess.Popen] = None
        self.address = ""
        self.connection: Any = None

    def start(self) -> float:
        started, ready = time.monotonic(), threading.Event()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                            cwd=self.directory, env=environment(), text=True)
        threading.Thread(target=self.read_output, args=(ready,), daemon=True).start()
        if not ready.wait(READY_SECONDS) or not self.address:
            tail = self.log.read_text(errors="replace").splitlines()[-8:]
            raise Off("the server did not become ready:\n" + "\n".join(tail))
        self.connection = http.client.HTTPConnection(self.address.removeprefix("http://"), timeout=30)
        return time.monotonic() - started

    def read_output(self, ready: threading.Event) -> None:
        for line in self.process.stdout:
            if found := re.search(r"listening on (http://\S+)", line):
                self.address = found.group(1)
                ready.set()
        ready.set()

    def stop(self) -> None:
        self.connection.close()
        self.process.terminate()
        status = self.process.wait(timeout=30)
        expect(status == 0, f"the server exited {status} after SIGTERM")

    def end(self) -> None:
        """After a failure too: SIGTERM first, so that it takes its database with it."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def packages() -> Iterator[dict]:
    """The stanzas of the package index, each as its fields; of the installed packages where there is no index."""
    if shutil.which("apt-cache") is None:
        raise Off("this is not a Debian: the demo imports the package index that `apt-cache dumpavail` prints")
    if not has_index() and os.geteuid() == 0:
        say("the package index is empty: running `apt-get update`")
        subprocess.run(["apt-get", "-q", "update"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    if has_index():
        with subprocess.Popen(["apt-cache", "dumpavail"], stdout=subprocess.PIPE, text=True, encoding="utf-8",
                              errors="replace") as process:
            yield from stanzas(process.stdout)
            process.kill()
    else:
        say("the package index is empty (`apt-get update` as root fills it): taking the installed packages instead")
        with open("/var/lib/dpkg/status", encoding="utf-8", errors="replace") as file:
            yield from stanzas(file)


def has_index() -> bool:
    with subprocess.Popen(["apt-cache", "dumpavail"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        found = bool(process.stdout.readline())
        process.kill()
    return found


def stanzas(lines: Iterator[str]) -> Iterator[dict]:
    fields: dict = {}
    for line in lines:
        if line == "\n":
            if fields:
                yield fields
            fields = {}
        elif not line.startswith((" ", "\t")) and ":" in line:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
    if fields:
        yield fields


def product_of(package: dict) -> Optional[dict]:
    """A package as a product; what is over a limit is cut, an address that is none is left out."""
    code = package.get("Package", "")[:64]
    if not code:
        return None
    description = package.get("Description") or package.get("Description-en") or code
    size = package.get("Installed-Size", "0")
    url = package.get("Homepage", "")
    return {
        "code": code,
        "name": description[:200],
        "model": package.get("Version", "")[:200],
        "price": int(size) if size.isdigit() else 0,
        "url": url if WEB_ADDRESS.fullmatch(url) else None,
    }


def remove_cluster(data: Path) -> None:
    """As root the database lies elsewhere, behind a link: that goes too, if it says that it belongs to this data."""
    link = data / "postgres"
    if not link.is_symlink():
        return
    home = link.resolve()
    marker = home / "rastro-cluster"
    if marker.is_file() and str(data.resolve()) in marker.read_text(encoding="utf-8").splitlines():
        shutil.rmtree(home, ignore_errors=True)


def items(text: str) -> list:
    """The items of an answer: one document with `items`, or one item a line."""
    try:
        answer = json.loads(text)
        return answer["items"] if isinstance(answer, dict) and "items" in answer else [answer]
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines() if line]


def counted(value: Any) -> int:
    return len(value) if isinstance(value, (list, dict)) else value


def environment() -> dict:
    """Ours, without what would point the program to another database."""
    return {name: value for name, value in os.environ.items()
            if not name.startswith(("PG", "RASTRO_")) and name != "DATABASE_URL"}


def now() -> str:
    microseconds = time.time_ns() // 1000
    seconds, rest = divmod(microseconds, 1_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:06d}Z"


def find_binary(named: Optional[str]) -> str:
    found = [Path(named)] if named else list(ROOT.glob(".build*/*/rastro"))
    found = sorted((path for path in found if path.exists()), key=lambda path: path.stat().st_mtime)
    if not found:
        sys.exit("there is no rastro binary: build it, or name one with --rastro")
    return str(found[-1].resolve())


def expect(condition: Any, otherwise: str) -> None:
    if not condition:
        raise Off(otherwise)


def heading(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if COLOUR else f"\n{text}\n{'-' * len(text)}", flush=True)


def say(text: str) -> None:
    print(f"  {text}", flush=True)


def show(text: str, limit: int = 12) -> None:
    lines = text.rstrip("\n").splitlines()
    shown = lines
    if len(lines) > limit:
        shown = [*lines[:limit - 4], f"… {len(lines) - limit + 1} more …", *lines[-3:]]
    for line in shown:
        print(f"    {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
