"""A FIFO queue of SQS as far as senders see it. Shares no code with the server.

It knows deduplication ids for five minutes, keeps what it accepted in the order of acceptance, and takes requests in
part at random, as SQS may.
"""
import hashlib
import json
import time
from pathlib import Path
from typing import Callable, Optional

from deliveries import message
from receiver import Receiver

REGION = "us-east-1"
DEDUPLICATION_SECONDS = 300
ENTRY_LIMIT, BYTE_LIMIT = 10, 1_048_576
# Of a thousand entries.
FAILED_ENTRIES = 10
FAILURES = ("InternalError", "ServiceUnavailable", "RequestThrottled")


class Queue(Receiver):
    name = "sqs"

    def __init__(self, directory: Path, run: str, seed: int) -> None:
        super().__init__(seed)
        self.url = f"http://127.0.0.1:{self.port}/123456789012/{run}.fifo"
        # By deduplication id: when it was taken first, and the sequence number that it got.
        self.known: dict = {}
        self.repeats = 0

    def add(self, rastro: Callable) -> None:
        rastro("destinations", "add", self.name, "--queue-url", self.url, "--region", REGION, "--from", "1")

    def dropped(self) -> int:
        return self.repeats

    def refusal(self) -> tuple:
        if self.random.random() < 0.5:
            return 503, b"Service Unavailable"
        return error(400, "RequestThrottled", "too much")

    def take(self, headers: dict, body: bytes) -> tuple:
        if headers.get("x-amz-target") != "AmazonSQS.SendMessageBatch":
            return error(400, "UnsupportedOperation", "only SendMessageBatch is known here")
        if "Credential=" not in headers.get("authorization", ""):
            return error(403, "MissingAuthenticationToken", "not signed")
        request = json.loads(body)
        wrong = self.wrong(request)
        if wrong:
            return error(400, *wrong)
        answer: dict = {"Successful": [], "Failed": []}
        for entry in request["Entries"]:
            if self.random.randrange(1000) < FAILED_ENTRIES:
                answer["Failed"].append({"Id": entry["Id"], "SenderFault": False, "Message": "at random",
                                         "Code": self.random.choice(FAILURES)})
            else:
                answer["Successful"].append(self.keep(entry))
        return 200, json.dumps(answer).encode()

    def wrong(self, request: dict) -> Optional[tuple]:
        """Why SQS would refuse the request as a whole: a code and a message; None when it would not."""
        entries = request.get("Entries") or []
        if request.get("QueueUrl") != self.url:
            return "QueueDoesNotExist", "there is no such queue"
        if not 1 <= len(entries) <= ENTRY_LIMIT:
            return "TooManyEntriesInBatchRequest" if entries else "EmptyBatchRequest", "1 to 10 entries"
        if len({entry["Id"] for entry in entries}) < len(entries):
            return "BatchEntryIdsNotDistinct", "an id stands twice"
        if any(not entry.get("MessageGroupId") or not entry.get("MessageDeduplicationId") for entry in entries):
            return "MissingParameter", "a FIFO queue needs MessageGroupId and MessageDeduplicationId"
        if sum(len(entry["MessageBody"].encode()) for entry in entries) > BYTE_LIMIT:
            return "BatchRequestTooLong", "1 MiB at most"
        return None

    def keep(self, entry: dict) -> dict:
        id, now = entry["MessageDeduplicationId"], time.monotonic()
        at, sequence = self.known.get(id, (None, None))
        if at is None or now - at > DEDUPLICATION_SECONDS:
            sequence = len(self.taken.list) + 1
            self.known[id] = (now, sequence)
            self.taken.add([message(entry["MessageGroupId"], id, entry["MessageBody"])])
        else:
            self.repeats += 1
        return {"Id": entry["Id"], "MessageId": f"m{sequence}", "SequenceNumber": f"{sequence:020}",
                "MD5OfMessageBody": hashlib.md5(entry["MessageBody"].encode()).hexdigest()}


def error(status: int, code: str, message: str) -> tuple:
    return status, json.dumps({"__type": f"com.amazonaws.sqs#{code}", "message": message}).encode()
