"""Consumers of `product-events.fifo` through the SQS protocol, as any AWS SDK would be."""
import hashlib
import hmac
import http.client
import json
import threading
import time
from datetime import datetime, timezone
from typing import NamedTuple

from deliveries import Deliveries, message

QUEUE = "product-events.fifo"
REGION = "us-east-1"
WAIT_SECONDS, REQUEST_SECONDS = 1, 10


class Consumer(threading.Thread):
    """Receives and deletes on one server until told to end; what fails is tried again."""

    def __init__(self, server, pair: tuple, deliveries: Deliveries) -> None:
        super().__init__(daemon=True)
        self.server, self.pair, self.deliveries = server, pair, deliveries
        self.ending = threading.Event()

    def run(self) -> None:
        while not self.ending.is_set():
            try:
                handles = receive(self.server, self.pair, self.deliveries, WaitTimeSeconds=WAIT_SECONDS)
                if handles:
                    delete(self.server, self.pair, self.deliveries, handles)
            except UNANSWERED:
                self.ending.wait(0.05)


class Handle(NamedTuple):
    group: str
    position: int
    text: str


class Refused(Exception):
    """An answer other than 200."""


UNANSWERED = (OSError, http.client.HTTPException, ValueError, Refused)


def receive(server, pair: tuple, deliveries: Deliveries, **options) -> list:
    """One receive, written down; the handles of what came."""
    asked = time.monotonic()
    answer = ask(server, pair, "ReceiveMessage", {"QueueUrl": QUEUE, "MaxNumberOfMessages": 10,
                                                  "AttributeNames": ["All"], **options})
    came, handles = [], []
    for one in answer.get("Messages", []):
        group, id = one["Attributes"]["MessageGroupId"], one["Attributes"]["MessageDeduplicationId"]
        came.append(message(group, id, one["Body"], asked))
        handles.append(Handle(group, came[-1].position, one["ReceiptHandle"]))
    deliveries.add(came)
    return handles


def delete(server, pair: tuple, deliveries: Deliveries, handles: list, seconds: float = REQUEST_SECONDS) -> list:
    """One delete, written down as far as it was acknowledged; the handles that were refused."""
    entries = [{"Id": str(index), "ReceiptHandle": handle.text} for index, handle in enumerate(handles)]
    answer = ask(server, pair, "DeleteMessageBatch", {"QueueUrl": QUEUE, "Entries": entries}, seconds)
    done = {int(entry["Id"]) for entry in answer.get("Successful", [])}
    deliveries.acknowledged([handle.position for index, handle in enumerate(handles) if index in done])
    return [handle for index, handle in enumerate(handles) if index not in done]


def release(server, pair: tuple, handle: Handle) -> None:
    """Makes the message visible at once."""
    ask(server, pair, "ChangeMessageVisibility", {"QueueUrl": QUEUE, "ReceiptHandle": handle.text,
                                                  "VisibilityTimeout": 0})


def ask(server, pair: tuple, operation: str, request: dict, seconds: float = REQUEST_SECONDS) -> dict:
    port = server.port
    if port is None:
        raise Refused("the server is away")
    body = json.dumps(request).encode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("POST", "/", body, signed(f"127.0.0.1:{port}", operation, body, pair))
        response = connection.getresponse()
        text = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise Refused(f"{response.status}: {text[:500]!r}")
    return json.loads(text)


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
