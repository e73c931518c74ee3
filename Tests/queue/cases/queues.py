"""Queues, messages and their attributes; standard queues; queues over the log."""
import hashlib
import json
import struct
import time
import urllib.request

from .tools import NUMBERS, Queue, arn, bodies, client, equal, expect, refused


def md5_of(attributes: dict) -> str:
    data = b""
    for name in sorted(attributes):
        value = attributes[name]
        for part in (name.encode(), value["DataType"].encode()):
            data += struct.pack(">I", len(part)) + part
        kind, part = (2, value["BinaryValue"]) if "BinaryValue" in value else (1, value["StringValue"].encode())
        data += bytes([kind]) + struct.pack(">I", len(part)) + part
    return hashlib.md5(data).hexdigest()


def message_attributes(server) -> None:
    """message attributes of all types come back as they were sent, as far as they were asked for, with their MD5"""
    queue = Queue(server)
    sent = {"text": {"DataType": "String", "StringValue": "naïve ☕"},
            "number": {"DataType": "Number.float", "StringValue": "-1.5e3"},
            "trace.id": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
    answer = queue.send("a body — ☕", MessageAttributes=sent)
    equal(answer["MD5OfMessageBody"], hashlib.md5("a body — ☕".encode()).hexdigest())
    equal(answer["MD5OfMessageAttributes"], md5_of(sent))
    for wanted, names in [(["All"], set(sent)), (["trace.*", "text"], {"trace.id", "text"}), (["other"], set()),
                          ([], set())]:
        message, = queue.receive(MessageAttributeNames=wanted, VisibilityTimeout=0)
        equal(message["Body"], "a body — ☕")
        chosen = {name: value for name, value in sent.items() if name in names}
        equal(message.get("MessageAttributes", {}), chosen)
        equal(message.get("MD5OfMessageAttributes"), md5_of(chosen) if chosen else None)


def system_attributes(server) -> None:
    """system attributes: both lists of names count, all are strings"""
    queue = Queue(server)
    before = int(time.time() * 1000)
    sent = queue.send("m1", "group-1", MessageDeduplicationId="dedup-1")
    message, = queue.receive(AttributeNames=["SenderId"], MessageSystemAttributeNames=["All"], VisibilityTimeout=0)
    attributes = message["Attributes"]
    equal(attributes["SequenceNumber"], sent["SequenceNumber"])
    equal((attributes["MessageGroupId"], attributes["MessageDeduplicationId"]), ("group-1", "dedup-1"))
    equal(attributes["ApproximateReceiveCount"], "1")
    expect(abs(int(attributes["SentTimestamp"]) - before) < 60_000, f"sent at {attributes['SentTimestamp']}")
    message, = queue.receive(AttributeNames=["SenderId"], MessageSystemAttributeNames=["ApproximateReceiveCount"])
    equal(set(message["Attributes"]), {"SenderId", "ApproximateReceiveCount"})
    equal(message["Attributes"]["ApproximateReceiveCount"], "2")


def queue_attributes(server) -> None:
    """attributes of queues are set, kept and told; the same queue may be created again, another may not"""
    queue = Queue(server, VisibilityTimeout="45", MessageRetentionPeriod="600")
    told = queue.attributes()
    equal((told["VisibilityTimeout"], told["MessageRetentionPeriod"], told["FifoQueue"]), ("45", "600", "true"))
    equal((told["QueueArn"], told["DelaySeconds"], told["MaximumMessageSize"]), (arn(queue.name), "0", "1048576"))
    expect(abs(int(told["CreatedTimestamp"]) - time.time()) < 60, told["CreatedTimestamp"])
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"VisibilityTimeout": "5", "DelaySeconds": "0"})
    equal(queue.attributes("VisibilityTimeout"), {"VisibilityTimeout": "5"})
    equal(queue.sqs.get_queue_attributes(QueueUrl=queue.url).get("Attributes"), None)
    queue.send_many(["m1", "m2", "m3"])
    queue.receive(1)
    told = queue.attributes("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    equal(told, {"ApproximateNumberOfMessages": "2", "ApproximateNumberOfMessagesNotVisible": "1"})
    same = {"FifoQueue": "true", "ContentBasedDeduplication": "true", "VisibilityTimeout": "5",
            "MessageRetentionPeriod": "600"}
    equal(queue.sqs.create_queue(QueueName=queue.name, Attributes=same)["QueueUrl"], queue.url)
    refused(lambda: queue.sqs.create_queue(QueueName=queue.name, Attributes={**same, "VisibilityTimeout": "6"}),
            "QueueAlreadyExists", message="a different value for attribute VisibilityTimeout")


def listing(server) -> None:
    """queues are listed by prefix and in pages; they are found by name; a deleted one is gone"""
    sqs = client(server)
    prefix = f"page-{next(NUMBERS)}-"
    urls = [sqs.create_queue(QueueName=f"{prefix}{number}")["QueueUrl"] for number in range(5)]
    equal(sqs.list_queues(QueueNamePrefix=prefix)["QueueUrls"], urls)
    pages = list(sqs.get_paginator("list_queues").paginate(QueueNamePrefix=prefix, PaginationConfig={"PageSize": 2}))
    equal([len(page["QueueUrls"]) for page in pages], [2, 2, 1])
    equal([url for page in pages for url in page["QueueUrls"]], urls)
    equal(sqs.get_queue_url(QueueName=f"{prefix}3")["QueueUrl"], urls[3])
    sqs.delete_queue(QueueUrl=urls[3])
    refused(lambda: sqs.get_queue_url(QueueName=f"{prefix}3"), "AWS.SimpleQueueService.NonExistentQueue")
    refused(lambda: sqs.receive_message(QueueUrl=urls[3]), "AWS.SimpleQueueService.NonExistentQueue")
    equal(sqs.list_queues(QueueNamePrefix=f"{prefix}none").get("QueueUrls"), None)


def tags(server) -> None:
    """tags are set at creation and later, and removed"""
    queue = Queue(server)
    queue.sqs.tag_queue(QueueUrl=queue.url, Tags={"team": "audit", "cost": "1"})
    queue.sqs.untag_queue(QueueUrl=queue.url, TagKeys=["cost"])
    equal(queue.sqs.list_queue_tags(QueueUrl=queue.url)["Tags"], {"team": "audit"})


def standard(server) -> None:
    """a standard queue: no group needed, a delay each, an expired but newest handle still deletes"""
    queue = Queue(server, fifo=False)
    queue.send_many([f"m{number}" for number in range(20)])
    received = queue.receive(10) + queue.receive(10)
    equal(sorted(bodies(received)), sorted(f"m{number}" for number in range(20)))
    expect("SequenceNumber" not in queue.send("x", DelaySeconds=1), "a sequence number of a standard queue")
    for message in received:
        queue.delete(message)
    equal(queue.receive(), [])
    messages, seconds = queue.poll(VisibilityTimeout=1).result()
    equal(bodies(messages), ["x"])
    expect(seconds < 3, f"the delayed message came after {seconds:.1f} s")
    time.sleep(1.2)
    queue.delete(messages[0])
    queue.delete(messages[0])
    equal(queue.receive(wait=1), [])
    refused(lambda: queue.send("x", MessageDeduplicationId="d"), "InvalidParameterValue")


def batches(server) -> None:
    """batches tell each entry's outcome; Failed is left out when nothing failed"""
    queue = Queue(server)
    entries = [{"Id": "good", "MessageBody": "m1", "MessageGroupId": "g"},
               {"Id": "late", "MessageBody": "m2", "MessageGroupId": "g", "DelaySeconds": 1800},
               {"Id": "bad", "MessageBody": "m3", "MessageGroupId": "g", "MessageAttributes": {
                   "AWS.x": {"DataType": "String", "StringValue": "x"}}}]
    answer = queue.sqs.send_message_batch(QueueUrl=queue.url, Entries=entries)
    equal([entry["Id"] for entry in answer["Successful"]], ["good"])
    equal([(entry["Id"], entry["Code"], entry["SenderFault"]) for entry in answer["Failed"]],
          [("late", "InvalidParameterValue", True), ("bad", "InvalidParameterValue", True)])
    message, = queue.receive()
    change = queue.sqs.change_message_visibility_batch(QueueUrl=queue.url, Entries=[
        {"Id": "a", "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 60},
        {"Id": "b", "ReceiptHandle": "forged", "VisibilityTimeout": 60}])
    equal([entry["Id"] for entry in change["Successful"]], ["a"])
    equal([(entry["Id"], entry["Code"]) for entry in change["Failed"]], [("b", "ReceiptHandleIsInvalid")])
    done = queue.sqs.delete_message_batch(QueueUrl=queue.url,
                                          Entries=[{"Id": "a", "ReceiptHandle": message["ReceiptHandle"]}])
    equal(done["Successful"], [{"Id": "a"}])
    expect("Failed" not in done, f"{done}")


def events(server) -> None:
    """product events come to product-events.fifo, and to a queue of one's own over the log with a filter"""
    sqs = client(server)
    own = f"changes-{next(NUMBERS)}.fifo"
    sqs.create_queue(QueueName=own, Attributes={"FifoQueue": "true", "RastroSource": "events",
                                                "RastroEventTypes": "CREATED,DELETED", "RastroFromPosition": "new"})
    product = request(server, "POST", "/v1/products", {"code": f"W{next(NUMBERS)}", "name": "Desk", "model": "D",
                                                       "price": 19.9})
    request(server, "GET", f"/v1/products/{product['id']}")
    request(server, "DELETE", f"/v1/products/{product['id']}")
    found = collect(sqs, own, product["id"], 2)
    equal([event["type"] for event in found], ["rastro.product.created", "rastro.product.deleted"])
    found = collect(sqs, "product-events.fifo", product["id"], 3)
    equal([event["type"] for event in found],
          ["rastro.product.created", "rastro.product.fetched", "rastro.product.deleted"])
    for event in found:
        equal(event["specversion"], "1.0")
        equal(event["sequence"], event["id"].zfill(20))
        equal(event["data"]["productId"], product["id"])


def collect(sqs, name: str, product: int, count: int) -> list:
    """The product's events, deleted as they come."""
    found, deadline = [], time.monotonic() + 20
    while len(found) < count and time.monotonic() < deadline:
        answer = sqs.receive_message(QueueUrl=name, MaxNumberOfMessages=10, WaitTimeSeconds=5, AttributeNames=["All"])
        for message in answer.get("Messages", []):
            event = json.loads(message["Body"])
            if message["Attributes"]["MessageGroupId"] == str(product):
                equal(message["Attributes"]["MessageDeduplicationId"], event["id"])
                found.append(event)
            sqs.delete_message(QueueUrl=name, ReceiptHandle=message["ReceiptHandle"])
    return found


def request(server, method: str, path: str, body=None):
    key = (server.data / "admin-key").read_text(encoding="utf-8").strip()
    made = urllib.request.Request(server.address + path, method=method, headers={
        "x-api-key": key, "content-type": "application/json"}, data=json.dumps(body).encode() if body else None)
    with urllib.request.urlopen(made, timeout=20) as answer:
        text = answer.read()
    return json.loads(text) if text else None


CASES = [message_attributes, system_attributes, queue_attributes, listing, tags, standard, batches, events]
