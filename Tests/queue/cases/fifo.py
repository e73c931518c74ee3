"""The one rule of FIFO queues: a group yields its messages in order, up to but not including the first invisible one."""
import json
import time

from .tools import Queue, arn, bodies, equal, expect, refused


def first_made_visible(server) -> None:
    """FIFO: m1 and m2 received, m1 made visible: the next receive gives m1 and not m3"""
    queue = Queue(server)
    queue.send_many(["m1", "m2", "m3"])
    received = queue.receive(2)
    equal(bodies(received), ["m1", "m2"])
    queue.visibility(received[0], 0)
    equal(bodies(queue.receive()), ["m1"])


def second_in_flight(server) -> None:
    """FIFO: m1 deleted, m2 in flight: the group is blocked, m3 included"""
    queue = Queue(server)
    queue.send_many(["m1", "m2", "m3"])
    first, second = queue.receive(2)
    queue.delete(first)
    equal(queue.receive(), [])
    queue.delete(second)
    equal(bodies(queue.receive()), ["m3"])


def one_extended(server) -> None:
    """FIFO: foo, bar, baz received, bar extended, the others expire: only foo is given"""
    queue = Queue(server)
    queue.send_many(["foo", "bar", "baz"])
    received = queue.receive(VisibilityTimeout=2)
    equal(bodies(received), ["foo", "bar", "baz"])
    queue.visibility(received[1], 60)
    messages, seconds = queue.poll().result()
    equal(bodies(messages), ["foo"])
    expect(1 < seconds < 4, f"the poll woke after {seconds:.1f} s")
    equal(queue.receive(), [])


def send_to_blocked(server) -> None:
    """FIFO: a send to a blocked group neither unblocks it nor resets its timers"""
    queue = Queue(server)
    queue.send("m1")
    started = time.monotonic()
    equal(bodies(queue.receive(VisibilityTimeout=3)), ["m1"])
    poll = queue.poll()
    time.sleep(1.5)
    queue.send("m2")
    messages, _ = poll.result()
    equal(bodies(messages), ["m1", "m2"])
    seconds = time.monotonic() - started
    expect(2.5 < seconds < 4.4, f"the timer ran {seconds:.1f} s instead of 3")


def delete_wakes(server) -> None:
    """FIFO: deleting the last message in flight wakes a waiting poll at once"""
    queue = Queue(server)
    queue.send_many(["m1", "m2", "m3"])
    first, second = queue.receive(2)
    poll = queue.poll()
    queue.delete(first)
    time.sleep(0.5)
    expect(not poll.done(), "the poll woke though m2 is in flight")
    deleted = time.monotonic()
    queue.delete(second)
    messages, _ = poll.result()
    equal(bodies(messages), ["m3"])
    expect(time.monotonic() - deleted < 1, "the poll did not wake at once")


def polls_wake(server) -> None:
    """long polls wake on send, on a visibility change to 0, and on timer expiry"""
    queue = Queue(server)
    poll = queue.poll()
    time.sleep(0.3)
    queue.send("m1")
    messages, seconds = poll.result()
    equal(bodies(messages), ["m1"])
    expect(seconds < 2, f"a send woke the poll after {seconds:.1f} s")
    poll = queue.poll(VisibilityTimeout=1)
    time.sleep(0.3)
    queue.visibility(messages[0], 0)
    messages, seconds = poll.result()
    equal(bodies(messages), ["m1"])
    expect(seconds < 2, f"a visibility change woke the poll after {seconds:.1f} s")
    messages, seconds = queue.poll().result()
    equal(bodies(messages), ["m1"])
    expect(seconds < 2.5, f"the timer's expiry woke the poll after {seconds:.1f} s")
    equal(queue.receive(wait=1), [])


def drains_groups(server) -> None:
    """FIFO: one receive drains a group before it starts the next, and may give several groups"""
    queue = Queue(server)
    for number in range(3):
        for group in ("a", "b"):
            queue.send(f"{group}{number}", group)
    received = bodies(queue.receive(5))
    equal(sorted(received[:3]), ["a0", "a1", "a2"] if received[0] == "a0" else ["b0", "b1", "b2"])
    equal(received, sorted(received[:3]) + sorted(received[3:]), "the order within the groups")
    equal(len({body[0] for body in received[3:]}), 1)
    expect(received[3][0] != received[0][0], f"{received} is of one group")


def big_backlog(server) -> None:
    """FIFO: a backlog of one group does not hide the other groups"""
    queue = Queue(server)
    queue.send_many([f"big {number}" for number in range(500)], "big")
    queue.send("small", "small")
    equal(bodies(queue.receive()), [f"big {number}" for number in range(10)])
    equal(bodies(queue.receive()), ["small"])


def deduplication(server) -> None:
    """FIFO: deduplication survives a delete and is cleared by a purge; a duplicate gets the first one's ids"""
    queue = Queue(server)
    first = queue.send("foo")
    again = queue.send("foo")
    for name in ("MessageId", "SequenceNumber"):
        equal(again[name], first[name], name)
    message, = queue.receive()
    equal(message["MessageId"], first["MessageId"])
    queue.delete(message)
    equal(queue.send("foo", "another")["MessageId"], first["MessageId"])
    equal(queue.receive(), [])
    explicit = queue.send("foo", MessageDeduplicationId="explicit")
    expect(explicit["MessageId"] != first["MessageId"], "an id of the sender's own is another message")
    equal(queue.send("bar", MessageDeduplicationId="explicit")["MessageId"], explicit["MessageId"])
    queue.sqs.purge_queue(QueueUrl=queue.url)
    fresh = queue.send("foo")
    expect(fresh["MessageId"] != first["MessageId"], "the purge did not clear the deduplication")
    expect(int(fresh["SequenceNumber"]) > int(explicit["SequenceNumber"]), "sequence numbers go on after a purge")
    equal(bodies(queue.receive()), ["foo"])


def deduplication_by_group(server) -> None:
    """FIFO: with DeduplicationScope messageGroup two groups may have the same id"""
    queue = Queue(server, DeduplicationScope="messageGroup", FifoThroughputLimit="perMessageGroupId")
    first, second = queue.send("foo", "a"), queue.send("foo", "b")
    expect(first["MessageId"] != second["MessageId"], "the groups share their ids")
    equal(queue.send("foo", "b")["MessageId"], second["MessageId"])


def delays(server) -> None:
    """FIFO: DelaySeconds of a message is an error, 0 is allowed; the queue's own delay holds"""
    queue = Queue(server)
    refused(lambda: queue.send("m1", DelaySeconds=2), "InvalidParameterValue",
            message="Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not "
                    "valid for this queue type.")
    queue.send("m1", DelaySeconds=0)
    equal(bodies(queue.receive()), ["m1"])
    slow = Queue(server, DelaySeconds="1")
    slow.send("m1")
    equal(slow.receive(), [])
    messages, seconds = slow.poll().result()
    equal(bodies(messages), ["m1"])
    expect(seconds < 3, f"the delayed message came after {seconds:.1f} s")


def dead_letters(server) -> None:
    """FIFO: the receive after maxReceiveCount moves the message, with its MessageId, and the group goes on"""
    dead = Queue(server)
    policy = {"deadLetterTargetArn": arn(dead.name), "maxReceiveCount": 2}
    queue = Queue(server, RedrivePolicy=json.dumps(policy))
    poison = queue.send("poison")
    queue.send("next")
    for _ in range(2):
        message, = queue.receive(1)
        equal(message["Body"], "poison")
        queue.visibility(message, 0)
    equal(bodies(queue.receive()), ["next"])
    message, = dead.receive(AttributeNames=["All"], wait=5)
    equal((message["Body"], message["MessageId"]), ("poison", poison["MessageId"]))
    equal(message["Attributes"]["DeadLetterQueueSourceArn"], arn(queue.name))
    equal(message["Attributes"]["MessageGroupId"], "g")
    sources = queue.sqs.list_dead_letter_source_queues(QueueUrl=dead.url)["queueUrls"]
    equal(sources, [queue.url])
    standard = Queue(server, fifo=False)
    policy["deadLetterTargetArn"] = arn(standard.name)
    refused(lambda: queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"RedrivePolicy": json.dumps(policy)}),
            "InvalidParameterValue")


def moves_back(server) -> None:
    """a move task takes dead letters back to where they came from"""
    dead = Queue(server)
    policy = {"deadLetterTargetArn": arn(dead.name), "maxReceiveCount": 1}
    queue = Queue(server, RedrivePolicy=json.dumps(policy))
    sent = queue.send("poison")
    message, = queue.receive()
    queue.visibility(message, 0)
    equal(queue.receive(), [])
    handle = queue.sqs.start_message_move_task(SourceArn=arn(dead.name))["TaskHandle"]
    expect(handle, "no task handle")
    message, = queue.receive(wait=10)
    equal((message["Body"], message["MessageId"]), ("poison", sent["MessageId"]))
    deadline = time.monotonic() + 10
    while True:
        task, = queue.sqs.list_message_move_tasks(SourceArn=arn(dead.name))["Results"]
        if task["Status"] == "COMPLETED" or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    equal((task["Status"], task["ApproximateNumberOfMessagesMoved"]), ("COMPLETED", 1))
    equal(dead.receive(), [])
    refused(lambda: queue.sqs.start_message_move_task(SourceArn=arn(queue.name)), "InvalidParameterValue",
            message="Source queue must be configured as a Dead Letter Queue.")
    refused(lambda: queue.sqs.start_message_move_task(SourceArn=arn("absent.fifo")), "ResourceNotFoundException", 404)
    refused(lambda: queue.sqs.cancel_message_move_task(TaskHandle="x"), "InvalidParameterValue")


def expired_handles(server) -> None:
    """FIFO: an expired receipt handle is refused; a receive gives a new one; deleting twice is fine"""
    queue = Queue(server)
    queue.send("m1")
    old, = queue.receive(VisibilityTimeout=1)
    new, = queue.receive(wait=10, VisibilityTimeout=60)
    expect(old["ReceiptHandle"] != new["ReceiptHandle"], "the handle is the same")
    refused(lambda: queue.delete(old), "InvalidParameterValue", message="The receipt handle has expired.")
    refused(lambda: queue.visibility(old, 0), "InvalidParameterValue")
    queue.delete(new)
    queue.delete(new)
    refused(lambda: queue.visibility(new, 0), "InvalidParameterValue")


def attempts(server) -> None:
    """FIFO: a receive repeated under the same ReceiveRequestAttemptId gives the same messages"""
    queue = Queue(server)
    queue.send_many(["m1", "m2"])
    first = queue.receive(1, ReceiveRequestAttemptId="a")
    again = queue.receive(1, ReceiveRequestAttemptId="a")
    equal(bodies(first), bodies(again))
    equal(queue.receive(1, ReceiveRequestAttemptId="b"), [])


CASES = [
    first_made_visible, second_in_flight, one_extended, send_to_blocked, delete_wakes, polls_wake, drains_groups,
    big_backlog, deduplication, deduplication_by_group, delays, dead_letters, moves_back, expired_handles, attempts,
]
