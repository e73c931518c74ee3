"""What is refused, and how."""
import datetime
import json
import urllib.error
import urllib.request
from unittest import mock

from .tools import Queue, client, equal, expect, refused


def signatures(server) -> None:
    """a wrong secret, an unknown key and a stale date are refused"""
    refused(client(server, secret="x" * 40).list_queues, "SignatureDoesNotMatch", 403)
    refused(client(server, id="AKIAIOSFODNN7EXAMPLE").list_queues, "InvalidClientTokenId", 403)
    stale = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=16)
    with mock.patch("botocore.auth.get_current_datetime", return_value=stale.replace(tzinfo=None)):
        refused(client(server).list_queues, "SignatureDoesNotMatch", 403, "Signature expired")


def scopes(server) -> None:
    """a key without the scope is denied"""
    queue = Queue(server)
    consumer = client(server, "queue:consume")
    refused(lambda: consumer.send_message(QueueUrl=queue.url, MessageBody="x", MessageGroupId="g"), "AccessDenied", 403)
    refused(lambda: consumer.create_queue(QueueName="other"), "AccessDenied", 403)
    equal(consumer.receive_message(QueueUrl=queue.url).get("Messages"), None)
    refused(client(server, "products:read").list_queues, "AccessDenied", 403)
    refused(lambda: queue.sqs.send_message(QueueUrl="product-events.fifo", MessageBody="x", MessageGroupId="g",
                                           MessageDeduplicationId="d"), "AccessDenied", 403)
    refused(lambda: queue.sqs.delete_queue(QueueUrl="product-events.fifo"), "AccessDenied", 403)


def ranges(server) -> None:
    """numbers and identifiers out of range are refused in the real service's words"""
    queue = Queue(server)
    invalid = "InvalidParameterValue"
    refused(lambda: queue.receive(11), invalid, message="Value 11 for parameter MaxNumberOfMessages is invalid. Reason: "
                                                        "Must be between 1 and 10, if provided.")
    refused(lambda: queue.receive(0), invalid)
    refused(lambda: queue.receive(1, 21), invalid)
    refused(lambda: queue.receive(VisibilityTimeout=43_201), invalid)
    refused(lambda: queue.send("x", "a b"), invalid)
    refused(lambda: queue.send("x", "g" * 129), invalid)
    refused(lambda: queue.send("x", MessageDeduplicationId="é"), invalid)
    refused(lambda: queue.send("x\x00"), "InvalidMessageContents")
    refused(lambda: queue.sqs.send_message(QueueUrl=queue.url, MessageBody="x"), "MissingParameter",
            message="The request must contain the parameter MessageGroupId.")
    refused(lambda: queue.send(""), "MissingParameter")
    plain = Queue(server, ContentBasedDeduplication="false")
    refused(lambda: plain.send("x"), invalid, message="The queue should either have ContentBasedDeduplication enabled")
    eleven = {f"a{number}": {"DataType": "String", "StringValue": "x"} for number in range(11)}
    refused(lambda: queue.send("x", MessageAttributes=eleven), invalid)
    refused(lambda: queue.send("x", MessageAttributes={"a": {"DataType": "String", "StringValue": ""}}), invalid,
            message="Message (user) attribute 'a' must contain a non-empty value of type 'String'.")
    refused(lambda: queue.send("x", MessageAttributes={"a": {"DataType": "Number", "StringValue": "ten"}}), invalid)
    equal(queue.receive(), [])


def sizes(server) -> None:
    """a message and a batch may have 1 MiB, counted after decoding"""
    queue = Queue(server)
    limit = 1 << 20
    queue.send("é" * (limit // 2))
    message, = queue.receive()
    equal(len(message["Body"].encode()), limit)
    refused(lambda: queue.send("x" * (limit + 1)), "InvalidParameterValue",
            message="Message must be shorter than 1048576 bytes")
    entries = [{"Id": str(number), "MessageGroupId": "g", "MessageBody": "x" * (limit // 2 + number)}
               for number in range(2)]
    refused(lambda: queue.sqs.send_message_batch(QueueUrl=queue.url, Entries=entries),
            "AWS.SimpleQueueService.BatchRequestTooLong",
            message="Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.")


def batches(server) -> None:
    """a batch that is empty, too long or ambiguous is refused whole"""
    queue = Queue(server)
    namespace = "AWS.SimpleQueueService."

    def send(*ids: str):
        return queue.sqs.send_message_batch(QueueUrl=queue.url, Entries=[
            {"Id": id, "MessageBody": "x", "MessageGroupId": "g"} for id in ids])

    refused(lambda: send(), namespace + "EmptyBatchRequest")
    refused(lambda: send(*map(str, range(20))), namespace + "TooManyEntriesInBatchRequest",
            message="Maximum number of entries per request are 10. You have sent 20.")
    refused(lambda: send("a", "a"), namespace + "BatchEntryIdsNotDistinct")
    refused(lambda: send("a:b"), namespace + "InvalidBatchEntryId")
    refused(lambda: send("x" * 81), namespace + "InvalidBatchEntryId")
    equal(queue.receive(), [])


def handles(server) -> None:
    """receipt handles that are forged, altered or of another queue are refused and change nothing"""
    queue, other = Queue(server), Queue(server)
    queue.send("m1")
    other.send("m1")
    message, foreign = queue.receive()[0], other.receive()[0]
    handle = message["ReceiptHandle"]
    altered = ("1" if handle[0] == "0" else "0") + handle[1:]
    for forged in ("x", "", altered, handle[:-1], handle + "0", foreign["ReceiptHandle"], "é"):
        code = "ReceiptHandleIsInvalid" if forged else "MissingParameter"
        refused(lambda: queue.delete({"ReceiptHandle": forged}), code)
        refused(lambda: queue.visibility({"ReceiptHandle": forged}, 0), code)
    equal(queue.receive(), [])
    refused(lambda: queue.visibility(message, 43_201), "InvalidParameterValue")


def queues(server) -> None:
    """unknown queues, names and attributes are refused; a purge is allowed once a minute"""
    queue = Queue(server)
    sqs = queue.sqs
    refused(lambda: sqs.get_queue_url(QueueName="absent"), "AWS.SimpleQueueService.NonExistentQueue",
            message="The specified queue does not exist.")
    for name in ("a b", "a" * 81, "a.b", "a.fifo"):
        refused(lambda: sqs.create_queue(QueueName=name), "InvalidParameterValue")
    refused(lambda: sqs.create_queue(QueueName="a", Attributes={"FifoQueue": "true"}), "InvalidParameterValue")
    refused(lambda: sqs.create_queue(QueueName="a", Attributes={"Foo": "1"}), "InvalidAttributeName")
    refused(lambda: sqs.create_queue(QueueName="a", Attributes={"VisibilityTimeout": "43201"}), "InvalidAttributeValue")
    refused(lambda: sqs.create_queue(QueueName="a", Attributes={"ContentBasedDeduplication": "true"}),
            "InvalidAttributeName")
    refused(lambda: sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"FifoQueue": "false"}),
            "InvalidAttributeValue")
    refused(lambda: sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"RedrivePolicy": json.dumps(
        {"deadLetterTargetArn": "dummy", "maxReceiveCount": 42})}), "InvalidParameterValue",
        message="Invalid value for deadLetterTargetArn.")
    refused(lambda: queue.attributes("Foo"), "InvalidAttributeName")
    sqs.purge_queue(QueueUrl=queue.url)
    refused(lambda: sqs.purge_queue(QueueUrl=queue.url), "AWS.SimpleQueueService.PurgeQueueInProgress", 403,
            f"Only one PurgeQueue operation on {queue.name} is allowed every 60 seconds.")


def protocols(server) -> None:
    """the form-encoded protocol, no signature and a body that is no JSON get a clear 4xx"""
    def post(body: bytes, **headers: str) -> tuple:
        made = urllib.request.Request(server.address + "/", data=body, headers=headers)
        try:
            urllib.request.urlopen(made, timeout=20)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(), error.headers
        return 200, "", None

    status, text, _ = post(b"Action=ListQueues", **{"content-type": "application/x-www-form-urlencoded"})
    expect(status == 400 and "query protocol" in text, f"{status} {text}")
    status, text, headers = post(b"{}", **{"content-type": "application/x-amz-json-1.0",
                                           "x-amz-target": "AmazonSQS.ListQueues"})
    expect(status == 403 and "MissingAuthenticationToken" in text, f"{status} {text}")
    expect(headers["x-amzn-RequestId"] and headers["x-amzn-query-error"], f"{headers}")
    refused(lambda: client(server)._make_api_call("ListQueues", {"MaxResults": 5_000}), "InvalidParameterValue")


CASES = [signatures, scopes, ranges, sizes, batches, handles, queues, protocols]
