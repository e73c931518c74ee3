"""The `aws` command, and several consumers at once."""
import json
import os
import shutil
import subprocess
import threading
import time

from .tools import KEYS, POOL, REGION, Queue, bodies, client, equal, expect


def aws(server, *arguments: str, code: str = "") -> dict:
    key = KEYS[server.data, "queue:consume,queue:send,queue:admin"]
    environment = dict(os.environ, AWS_ACCESS_KEY_ID=key["awsAccessKeyId"],
                       AWS_SECRET_ACCESS_KEY=key["awsSecretAccessKey"], AWS_DEFAULT_REGION=REGION, AWS_PAGER="",
                       AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)
    environment.pop("AWS_PROFILE", None)
    done = subprocess.run(["aws", "sqs", *arguments, "--endpoint-url", server.address, "--output", "json"],
                          capture_output=True, text=True, env=environment, timeout=90, check=False)
    if code:
        expect(done.returncode != 0 and f"({code})" in done.stderr, f"aws {arguments[0]}: {done.stderr or done.stdout}")
        return {}
    equal(done.returncode, 0, f"aws {arguments[0]}: {done.stderr}")
    return json.loads(done.stdout) if done.stdout.strip() else {}


def command_line(server) -> None:
    """aws sqs: create, send, receive, delete, attributes, and an error's code"""
    if shutil.which("aws") is None:
        print("  (there is no aws command here: passed over)")
        return
    client(server)
    url = aws(server, "create-queue", "--queue-name", "from-aws.fifo", "--attributes",
              "FifoQueue=true,ContentBasedDeduplication=true")["QueueUrl"]
    sent = aws(server, "send-message", "--queue-url", url, "--message-body", "hello", "--message-group-id", "g",
               "--message-attributes", json.dumps({"n": {"DataType": "Number", "StringValue": "5"}}))
    received = aws(server, "receive-message", "--queue-url", url, "--attribute-names", "All",
                   "--message-attribute-names", "All", "--wait-time-seconds", "5")
    message, = received["Messages"]
    equal((message["Body"], message["MessageId"]), ("hello", sent["MessageId"]))
    equal(message["MessageAttributes"]["n"]["StringValue"], "5")
    aws(server, "delete-message", "--queue-url", url, "--receipt-handle", message["ReceiptHandle"])
    equal(aws(server, "receive-message", "--queue-url", url), {})
    attributes = aws(server, "get-queue-attributes", "--queue-url", url, "--attribute-names", "All")["Attributes"]
    equal(attributes["ApproximateNumberOfMessages"], "0")
    aws(server, "send-message", "--queue-url", url, "--message-body", "x", code="MissingParameter")
    aws(server, "get-queue-url", "--queue-name", "absent", code="AWS.SimpleQueueService.NonExistentQueue")
    expect(url in aws(server, "list-queues")["QueueUrls"], "the queue is not listed")
    aws(server, "delete-queue", "--queue-url", url)


def consumers(server) -> None:
    """four consumers at once: every message once, each group in order, a slow group holds up nobody else"""
    queue = Queue(server)
    groups, count = [f"group {number}".replace(" ", "-") for number in range(8)], 25
    for group in groups:
        queue.send_many([f"{group}/{number}" for number in range(count)], group)
    seen, lock, deadline = [], threading.Lock(), time.monotonic() + 60

    def consume() -> None:
        while time.monotonic() < deadline:
            with lock:
                if len(seen) == len(groups) * count:
                    return
            for message in queue.receive(3, wait=1):
                if message["Body"] == "group-0/0":
                    time.sleep(1)
                with lock:
                    seen.append(message["Body"])
                queue.delete(message)

    for future in [POOL.submit(consume) for _ in range(4)]:
        future.result()
    equal(len(seen), len(groups) * count)
    for group in groups:
        equal([body for body in seen if body.startswith(group + "/")], [f"{group}/{number}" for number in range(count)])
    equal(bodies(queue.receive()), [])


CASES = [command_line, consumers]
