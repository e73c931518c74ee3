"""Two servers over one database: requests reach a queue's owner through either, and another owner follows a dead one."""
import threading
import time

from botocore.config import Config

from server import Server

from .tools import POOL, bodies, client, equal, expect

# As SDKs are set by default, with patience for a take-over.
RETRYING = Config(retries={"max_attempts": 8, "mode": "standard"}, read_timeout=40)
TAKE_OVER_SECONDS = 8
FIFO = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}


def forwarding(server) -> None:
    """two servers: one forwards to the queue's owner, and takes over when that is killed; nothing is lost or disordered"""
    with Server(server.binary) as first, Server(server.binary, beside=first) as second:
        owner, other = client(first, config=RETRYING), client(second, config=RETRYING)
        url = owner.create_queue(QueueName="shared.fifo", Attributes=FIFO)["QueueUrl"]
        owner.send_message(QueueUrl=url, MessageBody="m0", MessageGroupId="g")
        poll = POOL.submit(lambda: owner.receive_message(QueueUrl=url, WaitTimeSeconds=20, VisibilityTimeout=0))
        equal(bodies(poll.result()["Messages"]), ["m0"])
        sent, times, over = ["m0"], [], threading.Event()

        def send() -> None:
            while not over.is_set():
                other.send_message(QueueUrl=url, MessageBody=f"m{len(sent)}", MessageGroupId="g")
                sent.append(f"m{len(sent)}")
                times.append(time.monotonic())

        sender = POOL.submit(send)
        try:
            until(lambda: len(sent) > 100, "the owner takes what the other server forwards")
            first.kill()
            killed = time.monotonic()
            until(lambda: times[-1] > killed + 0.5, "the other server takes the queue over")
        finally:
            over.set()
        sender.result()
        pause = max(after - before for before, after in zip(times, times[1:]))
        expect(pause < TAKE_OVER_SECONDS, f"the queue was away for {pause:.1f} s")
        equal(drain(other, url), sent)


def shutdown(server) -> None:
    """a server that is told to stop answers a waiting long poll and ends with 0"""
    with Server(server.binary) as own:
        sqs = client(own)
        url = sqs.create_queue(QueueName="idle.fifo", Attributes=FIFO)["QueueUrl"]
        answered = POOL.submit(lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20).get("Messages"))
        time.sleep(1)
        started = time.monotonic()
        equal(own.stop(), 0)
        equal(answered.result(), None)
        seconds = time.monotonic() - started
        expect(seconds < 10, f"it took {seconds:.1f} s")


def drain(sqs, url: str) -> list:
    """All bodies, deleted as they come."""
    found: list = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages"):
        found += bodies(messages)
        sqs.delete_message_batch(QueueUrl=url, Entries=[
            {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]} for index, message in enumerate(messages)])
    return found


def until(condition, what: str) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        expect(time.monotonic() < deadline, f"not within 30 s: {what}")
        time.sleep(0.05)


CASES = [forwarding, shutdown]
