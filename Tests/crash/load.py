"""The load: threads that send a mix of requests to one server each and write down what came of every one."""
import http.client
import json
import random
import threading
import time
import uuid
from decimal import Decimal
from typing import Any, Optional

from checker import Request
from server import Server

REQUEST_SECONDS = 15
BACKOFF_SECONDS = 0.02
MERGE_PATCH = "application/merge-patch+json"
MIX = (("create", 18), ("get", 30), ("head", 5), ("cached", 4), ("list", 4), ("put", 13), ("patch", 15), ("same", 3),
       ("delete", 4), ("absent", 1), ("denied", 1), ("stale", 1), ("taken", 1), ("malformed", 1))
ABSENT = 9_000_000_000_000


class Catalogue:
    """What the load has learnt of the products, shared by all threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.live: dict = {}
        self.versions: dict = {}

    def learn(self, product: dict, etag: Optional[str]) -> None:
        with self.lock:
            known = self.live.get(product["id"])
            if known is None or known["version"] < product["version"]:
                self.live[product["id"]] = dict(product, etag=etag or (known or {}).get("etag"))
            if etag:
                self.versions[product["id"], etag] = product["version"]

    def forget(self, id: int) -> None:
        with self.lock:
            self.live.pop(id, None)

    def version(self, id: int, etag: Optional[str]) -> Optional[int]:
        with self.lock:
            return self.versions.get((id, etag))

    def pick(self, source: random.Random) -> Optional[dict]:
        """Some product, the earliest ones most often: they are fought over."""
        with self.lock:
            ids = list(self.live)
            if not ids:
                return None
            return dict(self.live[ids[int(len(ids) * source.random() ** 3)]])


class History:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.requests: list = []

    def add(self, request: Request) -> None:
        with self.lock:
            self.requests.append(request)

    def since(self, start: int) -> list:
        with self.lock:
            return [request for request in self.requests if request.end >= start]

    def last_position(self) -> int:
        with self.lock:
            return max((request.position or 0 for request in self.requests[-200:]), default=0)

    def write(self, path: str) -> None:
        with open(path, "w", encoding="utf-8") as file:
            for request in self.requests:
                file.write(json.dumps(vars(request), default=json_number) + "\n")


def json_number(value: Any) -> Any:
    """Decimals as text, which the checker reads as well."""
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value)} in the history")


class Worker(threading.Thread):
    """One client: its requests follow one another."""

    def __init__(self, index: int, server_index: int, server: Server, user: tuple, reader: tuple,
                 catalogue: Catalogue, history: History, stop: threading.Event, seed: int) -> None:
        super().__init__(daemon=True)
        self.server_index, self.server = server_index, server
        self.user, self.reader = user, reader
        self.catalogue, self.history, self.stop_event = catalogue, history, stop
        self.random = random.Random(seed)
        self.connection: Optional[http.client.HTTPConnection] = None
        self.connected_port: Optional[int] = None
        self.serial = 0
        self.index = index
        self.broken: Optional[str] = None

    def run(self) -> None:
        kinds, weights = zip(*MIX)
        try:
            while not self.stop_event.is_set():
                getattr(self, self.random.choices(kinds, weights)[0])()
        except Exception as error:  # the thread's end must not pass for a quiet one
            self.broken = f"client {self.index}: {type(error).__name__}: {error}"
        self.hang_up()

    # ------------------------------------------------------------------------------------------------- kinds of request

    def create(self) -> None:
        self.serial += 1
        body = self.fields(f"C{self.index}-{self.serial}-{self.random.randrange(10**6)}")
        self.send("create", "POST", "/v1/products", body=body)

    def get(self) -> None:
        self.on_some("get", "GET")

    def head(self) -> None:
        self.on_some("head", "HEAD")

    def cached(self) -> None:
        product = self.catalogue.pick(self.random)
        if product and product["etag"]:
            self.send("get", "GET", path_of(product), product=product["id"],
                      headers={"If-None-Match": product["etag"]})

    def list(self) -> None:
        self.send("list", "GET", f"/v1/products?limit={self.random.randint(1, 8)}")

    def put(self) -> None:
        product = self.catalogue.pick(self.random)
        if product:
            self.change("put", "PUT", product, self.fields(product["code"]), self.random.random() < 0.3)

    def patch(self) -> None:
        product = self.catalogue.pick(self.random)
        if product:
            name = self.random.choice(("name", "model", "price", "url", "code"))
            code = f"P{product['id']}-{self.random.randrange(10**9)}"
            self.change("patch", "PATCH", product, {name: self.fields(code)[name]}, self.random.random() < 0.3)

    def same(self) -> None:
        """A change that most likely changes nothing: the product is only shown."""
        product = self.catalogue.pick(self.random)
        if product:
            self.change("patch", "PATCH", product, {"name": product["name"]}, False)

    def delete(self) -> None:
        product = self.catalogue.pick(self.random)
        if product and self.random.random() < 0.7:
            self.send("delete", "DELETE", path_of(product), product=product["id"])

    def absent(self) -> None:
        id = ABSENT + self.random.randrange(1000)
        op, method = self.random.choice((("get", "GET"), ("delete", "DELETE"), ("head", "HEAD")))
        self.send(op, method, f"/v1/products/{id}", product=id)

    def denied(self) -> None:
        product = self.catalogue.pick(self.random)
        if product:
            self.send("delete", "DELETE", path_of(product), product=product["id"], user=self.reader)

    def stale(self) -> None:
        product = self.catalogue.pick(self.random)
        if product:
            self.send("patch", "PATCH", path_of(product), product=product["id"], body={"name": "stale"},
                      headers={"If-Match": '"no-such-version"', "Content-Type": MERGE_PATCH})

    def taken(self) -> None:
        product = self.catalogue.pick(self.random)
        if product:
            self.send("create", "POST", "/v1/products", body=self.fields(product["code"]))

    def malformed(self) -> None:
        self.send("create", "POST", "/v1/products", body={"code": "", "price": "much"})

    def on_some(self, op: str, method: str) -> None:
        product = self.catalogue.pick(self.random)
        if product:
            self.send(op, method, path_of(product), product=product["id"])

    def change(self, op: str, method: str, product: dict, body: dict, matching: bool) -> None:
        headers = {"Content-Type": MERGE_PATCH if method == "PATCH" else "application/json"}
        if matching and product["etag"]:
            headers["If-Match"] = product["etag"]
        self.send(op, method, path_of(product), product=product["id"], body=body, headers=headers)

    def fields(self, code: str) -> dict:
        number = self.random.randrange(10_000_000)
        return {"code": code, "name": f"Désk № {number}", "model": f"M-{number % 97}", "price": number / 100,
                "url": None if number % 3 else f"https://example.org/{number}"}

    # ----------------------------------------------------------------------------------------- sending and writing down

    def send(self, op: str, method: str, path: str, product: Optional[int] = None, body: Optional[dict] = None,
             headers: Optional[dict] = None, user: Optional[tuple] = None) -> None:
        name, key = user or self.user
        request = Request(str(uuid.uuid4()), name, op, start=now(), end=0, outcome="refused", product=product,
                          body=body, server=self.server_index)
        sent = {"x-api-key": key, "X-Request-Id": request.request, **(headers or {})}
        if "If-Match" in sent:
            request.if_match = self.catalogue.version(product, sent["If-Match"])
        text = None
        if body is not None:
            text = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        if not self.connect():
            request.code, request.end = "unreachable", now()
            self.history.add(request)
            time.sleep(BACKOFF_SECONDS)
            return
        try:
            self.connection.request(method, path, body=text, headers=sent)
            response = self.connection.getresponse()
            content = response.read()
            request.end = now()
        except (OSError, http.client.HTTPException) as error:
            request.outcome, request.code, request.end = "unknown", type(error).__name__, now()
            self.history.add(request)
            self.hang_up()
            time.sleep(BACKOFF_SECONDS)
            return
        self.record(request, response, content)
        self.history.add(request)
        if response.will_close:
            self.hang_up()
        if request.status == 503:
            time.sleep(BACKOFF_SECONDS)

    def record(self, request: Request, response: http.client.HTTPResponse, content: bytes) -> None:
        request.status = response.status
        position = response.getheader("X-Event-Position")
        request.position = int(position) if position else None
        request.etag = response.getheader("ETag")
        request.retry_after = response.getheader("Retry-After")
        if response.status < 300 or response.status == 304:
            request.outcome = "acknowledged"
            request.answer = self.shown(request, content)
            return
        if content:
            request.code = json.loads(content).get("code")
        hidden = request.op == "head" and response.status == 503
        if response.status in (500, 502, 504) or hidden or "unknown" in (request.code or ""):
            request.outcome = "unknown"
        if response.status in (404, 410):
            self.catalogue.forget(request.product)

    def shown(self, request: Request, content: bytes) -> Optional[list]:
        """The products that an answer showed; of one without a body what its ETag tells."""
        if request.op == "delete":
            self.catalogue.forget(request.product)
            return None
        if not content:
            return [{"id": request.product, "version": self.catalogue.version(request.product, request.etag)}]
        answer = json.loads(content, parse_float=Decimal)
        shown = answer["items"] if request.op == "list" else [answer]
        for item in shown:
            self.catalogue.learn(item, None if request.op == "list" else request.etag)
        return shown

    def connect(self) -> bool:
        port = self.server.port
        if self.connection is not None and port == self.connected_port:
            return True
        self.hang_up()
        if port is None:
            return False
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=REQUEST_SECONDS)
        connection.auto_open = 0
        try:
            connection.connect()
        except OSError:
            return False
        self.connection, self.connected_port = connection, port
        return True

    def hang_up(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = self.connected_port = None


class Lister(Worker):
    """A client that only asks for lists: many events a request."""

    limit = 200

    def run(self) -> None:
        try:
            while not self.stop_event.is_set():
                self.send("list", "GET", f"/v1/products?limit={self.limit}")
        except Exception as error:
            self.broken = f"client {self.index}: {type(error).__name__}: {error}"
        self.hang_up()


class Load:
    """All clients of one run, the same number on each server."""

    def __init__(self, servers: list, users: list, reader: tuple, seed: int, clients: int) -> None:
        self.history, self.catalogue = History(), Catalogue()
        self.stop_event = threading.Event()
        self.servers, self.users, self.reader, self.seed = servers, users, reader, seed
        self.workers = [
            Worker(index, index % len(servers), servers[index % len(servers)], users[index % len(users)], reader,
                   self.catalogue, self.history, self.stop_event, seed * 1000 + index)
            for index in range(clients)
        ]

    def start(self) -> None:
        for worker in self.workers:
            worker.start()

    def add_listers(self, count: int, limit: int) -> None:
        for _ in range(count):
            index = len(self.workers)
            lister = Lister(index, index % len(self.servers), self.servers[index % len(self.servers)],
                            self.users[index % len(self.users)], self.reader, self.catalogue, self.history,
                            self.stop_event, self.seed * 1000 + index)
            lister.limit = limit
            self.workers.append(lister)
            lister.start()

    def finish(self) -> list:
        """Ends the load; what was wrong with it."""
        self.stop_event.set()
        for worker in self.workers:
            worker.join(timeout=REQUEST_SECONDS + 5)
        wrong = [worker.broken for worker in self.workers if worker.broken]
        return wrong + [f"client {worker.index} hangs" for worker in self.workers if worker.is_alive()]


def path_of(product: dict) -> str:
    return f"/v1/products/{product['id']}"


def now() -> int:
    return time.time_ns() // 1000
