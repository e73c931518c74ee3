"""Consumers of `product-events.fifo` through the SQS protocol, as any AWS SDK would be, and what their receipts must show.

Every event comes at least once, and the first receipts of a product's events are in the log's order.
"""
import hashlib
import hmac
import http.client
import json
import threading
import time
from datetime import datetime, timezone
from typing import NamedTuple

QUEUE = "product-events.fifo"
REGION = "us-east-1"
WAIT_SECONDS, REQUEST_SECONDS = 1, 10


class Receipt(NamedTuple):
    group: str
    position: int


class Consumer(threading.Thread):
    """Receives and deletes on one server until told to end; what fails is tried again."""

    def __init__(self, server, pair: tuple, receipts: "Receipts") -> None:
        super().__init__(daemon=True)
        self.server, self.pair, self.receipts = server, pair, receipts
        self.ending = threading.Event()

    def run(self) -> None:
        while not self.ending.is_set():
            try:
                self.consume()
            except (OSError, http.client.HTTPException, ValueError, Refused):
                self.ending.wait(0.05)

    def consume(self) -> None:
        answer = self.ask("ReceiveMessage", {"QueueUrl": QUEUE, "MaxNumberOfMessages": 10,
                                             "WaitTimeSeconds": WAIT_SECONDS, "AttributeNames": ["All"]})
        messages = answer.get("Messages", [])
        self.receipts.add([Receipt(message["Attributes"]["MessageGroupId"], int(json.loads(message["Body"])["id"]))
                           for message in messages])
        if messages:
            entries = [{"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                       for index, message in enumerate(messages)]
            self.ask("DeleteMessageBatch", {"QueueUrl": QUEUE, "Entries": entries})

    def ask(self, operation: str, request: dict) -> dict:
        port = self.server.port
        if port is None:
            raise Refused("the server is away")
        body = json.dumps(request).encode()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=REQUEST_SECONDS)
        try:
            connection.request("POST", "/", body, signed(f"127.0.0.1:{port}", operation, body, self.pair))
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise Refused(f"{response.status}: {text[:200]!r}")
        return json.loads(text)


class Refused(Exception):
    """An answer other than 200."""


class Receipts:
    """What all consumers received, in order."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.list: list = []
        self.positions: set = set()

    def add(self, receipts: list) -> None:
        with self.lock:
            self.list += receipts
            self.positions.update(receipt.position for receipt in receipts)

    def missing(self, last: int) -> list:
        with self.lock:
            return [position for position in range(1, last + 1) if position not in self.positions]

    def faults(self, last: int) -> list:
        """What is wrong with them, given the log's last position."""
        wrong = []
        missing = self.missing(last)
        if missing:
            wrong.append(f"{len(missing)} of {last} events never came through {QUEUE}, first {missing[0]}")
        seen, newest = set(), {}
        for group, position in self.list:
            if position in seen:
                continue
            seen.add(position)
            if position < newest.get(group, 0):
                wrong.append(f"event {position} of group {group} first came after event {newest[group]}")
            newest[group] = max(position, newest.get(group, 0))
        return wrong


def await_all(receipts: Receipts, last: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while receipts.missing(last) and time.monotonic() < deadline:
        time.sleep(0.1)


def signed(host: str, operation: str, body: bytes, pair: tuple) -> dict:
    """The headers of a request with its AWS signature, version 4."""
    now = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    headers = {"content-type": "application/x-amz-json-1.0", "host": host, "x-amz-date": now,
               "x-amz-target": f"AmazonSQS.{operation}"}
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    canonical = "\n".join(("POST", "/", "", lines, names, hashlib.sha256(body).hexdigest()))
    scope = f"{now[:8]}/{REGION}/sqs/aws4_request"
    text = "\n".join(("AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = ("AWS4" + pair[1]).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={pair[0]}/{scope}, SignedHeaders={names}, "
                                f"Signature={signature}")
    return headers


def missed() -> list:
    """Planted faults that `Receipts.faults` does not find."""
    sound = [Receipt("7", 1), Receipt("8", 2), Receipt("7", 3), Receipt("7", 1), Receipt("8", 4)]
    cases = {"sound receipts, one of them again": (sound, 0), "a lost event": (sound[:2] + sound[3:], 1),
             "two groups in the wrong order": (sound[2:] + sound[:2], 2)}
    failures = []
    for name, (list_, expected) in cases.items():
        receipts = Receipts()
        receipts.add(list_)
        if len(receipts.faults(4)) != expected:
            failures.append(f"{name}: expected {expected} faults, found {receipts.faults(4)}")
    return failures
