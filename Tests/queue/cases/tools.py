"""What cases share: clients, queues of their own, and ways to say what is expected."""
import concurrent.futures
import itertools
import time
from typing import Any, Callable, Optional

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

REGION = "eu-west-1"
CONFIG = Config(retries={"max_attempts": 1}, read_timeout=40, max_pool_connections=50)
# Long enough to wait for anything, short enough not to hang.
WAIT = 20
NUMBERS = itertools.count(1)
POOL = concurrent.futures.ThreadPoolExecutor(max_workers=16)
KEYS: dict = {}


class Off(Exception):
    """An outcome that is not the documented one."""


def client(server, scopes: str = "queue:consume,queue:send,queue:admin", secret: Optional[str] = None,
           config: Config = CONFIG, **options):
    key = KEYS.setdefault((server.data, scopes), None) or server.make_key("walker", scopes)
    KEYS[server.data, scopes] = key
    return boto3.client("sqs", endpoint_url=server.address, region_name=REGION, config=config,
                        aws_access_key_id=options.pop("id", key["awsAccessKeyId"]),
                        aws_secret_access_key=secret or key["awsSecretAccessKey"], **options)


def arn(name: str) -> str:
    return f"arn:aws:sqs:{REGION}:000000000000:{name}"


class Queue:
    """A queue of one case's own, and what is done with it."""

    def __init__(self, server, fifo: bool = True, **attributes: str) -> None:
        self.sqs = client(server)
        self.name = f"walk-{next(NUMBERS)}{'.fifo' if fifo else ''}"
        if fifo:
            attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true", **attributes}
        self.url = self.sqs.create_queue(QueueName=self.name, Attributes=attributes)["QueueUrl"]
        self.is_fifo = fifo

    def send(self, body: str, group: Optional[str] = None, **options: Any) -> dict:
        if self.is_fifo:
            options.setdefault("MessageGroupId", group or "g")
        return self.sqs.send_message(QueueUrl=self.url, MessageBody=body, **options)

    def send_many(self, bodies: list, group: str = "g") -> None:
        for start in range(0, len(bodies), 10):
            entries = [{"Id": str(index), "MessageBody": body, **({"MessageGroupId": group} if self.is_fifo else {})}
                       for index, body in enumerate(bodies[start:start + 10])]
            answer = self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries)
            expect(answer["Successful"] and "Failed" not in answer, f"the batch says {answer}")

    def receive(self, most: int = 10, wait: int = 0, **options: Any) -> list:
        answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=most, WaitTimeSeconds=wait, **options)
        expect("Messages" not in answer or answer["Messages"], "an empty list of messages is not left out")
        return answer.get("Messages", [])

    def poll(self, **options: Any) -> concurrent.futures.Future:
        """A long poll under way: (messages, seconds that it took)."""
        def run() -> tuple:
            started = time.monotonic()
            return self.receive(wait=WAIT, **options), time.monotonic() - started
        return POOL.submit(run)

    def delete(self, message: dict) -> None:
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def visibility(self, message: dict, seconds: int) -> None:
        self.sqs.change_message_visibility(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"],
                                           VisibilityTimeout=seconds)

    def attributes(self, *names: str) -> dict:
        return self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names or ["All"]).get("Attributes", {})


def bodies(messages: list) -> list:
    return [message["Body"] for message in messages]


def expect(condition: Any, otherwise: str) -> None:
    if not condition:
        raise Off(otherwise)


def equal(found: Any, wanted: Any, what: str = "") -> None:
    expect(found == wanted, f"{what + ': ' if what else ''}{found!r} instead of {wanted!r}")


def refused(call: Callable[[], Any], code: str, status: int = 400, message: str = "") -> str:
    """What the call is refused with."""
    try:
        answer = call()
    except ClientError as error:
        found = error.response["Error"]
        equal((found["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]), (code, status), found["Message"])
        expect(message in found["Message"], f"{found['Message']!r} does not say {message!r}")
        return found["Message"]
    answer.pop("ResponseMetadata", None)
    raise Off(f"{code} expected, but the answer is {answer}")
