import Catalog
import SQSProtocol
import Testing

@Suite("Requests of the SQS protocol")
struct SQSRequestTests {
    static func read(_ operation: SQSOperation, _ body: String) throws(SQSError) -> SQSRequest {
        try SQSRequest(operation, body: Array(body.utf8))
    }

    private static func error(_ operation: SQSOperation, _ body: String) -> SQSError? {
        do throws(SQSError) {
            _ = try read(operation, body)
            return nil
        } catch {
            return error
        }
    }

    @Test("a receive has defaults, and takes both lists of attributes")
    func receive() throws {
        guard
            case .receiveMessage(let bare) = try Self.read(
                .receiveMessage,
                #"{"QueueUrl": "q.fifo", "X": [1]}"#
            )
        else {
            Issue.record("not a receive")
            return
        }
        #expect(bare.queue.text == "q.fifo")
        #expect(bare.max == 1)
        #expect(bare.visibilityTimeout == nil && bare.wait == nil && bare.attempt == nil)
        #expect(!bare.systemAttributes.takes(.senderID))
        let body = """
            {"QueueUrl": "http://h:1/000000000000/q", "MaxNumberOfMessages": 10, "VisibilityTimeout": 0,
             "WaitTimeSeconds": 20, "AttributeNames": ["SenderId", "VisibilityTimeout"], "ReceiveRequestAttemptId": "a",
             "MessageSystemAttributeNames": ["SentTimestamp"], "MessageAttributeNames": ["a.*"]}
            """
        guard case .receiveMessage(let full) = try Self.read(.receiveMessage, body) else {
            Issue.record("not a receive")
            return
        }
        #expect(full.queue.text == "q" && full.max == 10 && full.visibilityTimeout == .zero)
        #expect(full.wait == .seconds(20) && full.attempt == "a")
        #expect(full.systemAttributes.takes(.senderID) && full.systemAttributes.takes(.sentTimestamp))
        #expect(!full.systemAttributes.takes(.messageGroupID))
    }

    @Test(
        "numbers out of range are refused in the real service's words",
        arguments: [
            (
                #""MaxNumberOfMessages": 11"#,
                "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."
            ),
            (
                #""MaxNumberOfMessages": 0"#,
                "Value 0 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."
            ),
            (
                #""WaitTimeSeconds": 21"#,
                "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided."
            ),
            (
                #""VisibilityTimeout": 43201"#,
                "Value 43201 for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and 43200, if provided."
            ),
        ]
    )
    func ranges(member: String, message: String) {
        let error = Self.error(.receiveMessage, #"{"QueueUrl": "q", \#(member)}"#)
        #expect(error?.shape == "InvalidParameterValueException")
        #expect(error?.code == "InvalidParameterValue")
        #expect(error?.status == 400)
        #expect(error?.message == message)
    }

    @Test(
        "values of other types are no request",
        arguments: [
            "", "[]", "{", "\"x\"", #"{"QueueUrl": 5}"#,
            #"{"QueueUrl": "q", "MaxNumberOfMessages": "5"}"#,
            #"{"QueueUrl": "q", "MaxNumberOfMessages": 1.5}"#,
            #"{"QueueUrl": "q", "AttributeNames": "All"}"#,
            #"{"QueueUrl": "q", "AttributeNames": [1]}"#, #"{"QueueUrl": "q", "QueueUrl": "q"}"#,
            #"{"QueueUrl": "q", "MaxNumberOfMessages": 99999999999999999999}"#,
        ]
    )
    func types(body: String) {
        let error = Self.error(.receiveMessage, body)
        #expect(
            error?.shape
                == (body.isEmpty ? "MissingRequiredParameterException" : "SerializationException")
        )
        #expect(error?.status == 400)
    }

    @Test("null is absent, and what is required is named")
    func missing() {
        let missing: [(SQSOperation, String, String)] = [
            (.receiveMessage, #"{"QueueUrl": null}"#, "QueueUrl"),
            (.sendMessage, #"{"QueueUrl": "q"}"#, "MessageBody"),
            (.sendMessage, #"{"QueueUrl": "q", "MessageBody": ""}"#, "MessageBody"),
            (.deleteMessage, #"{"QueueUrl": "q"}"#, "ReceiptHandle"),
            (.changeMessageVisibility, #"{"QueueUrl": "q", "ReceiptHandle": "h"}"#, "VisibilityTimeout"),
            (.createQueue, "{}", "QueueName"), (.getQueueURL, "{}", "QueueName"),
            (.setQueueAttributes, #"{"QueueUrl": "q"}"#, "Attributes"),
            (.tagQueue, #"{"QueueUrl": "q"}"#, "Tags"),
            (.untagQueue, #"{"QueueUrl": "q", "TagKeys": []}"#, "TagKeys"),
            (.startMessageMoveTask, "{}", "SourceArn"),
            (.cancelMessageMoveTask, "{}", "TaskHandle"),
        ]
        for (operation, body, name) in missing {
            let error = Self.error(operation, body)
            #expect(error?.code == "MissingParameter", "\(operation)")
            #expect(error?.message == "The request must contain the parameter \(name).", "\(operation)")
        }
    }

    @Test("a queue is named by its URL or bare; what is no name is no queue")
    func urls() throws {
        for url in [
            "q.fifo", "/q.fifo", "http://h:8080/000000000000/q.fifo",
            "https://sqs.eu.amazonaws.com/1/q.fifo",
        ] {
            guard case .purgeQueue(let name) = try Self.read(.purgeQueue, #"{"QueueUrl": "\#(url)"}"#)
            else { continue }
            #expect(name.text == "q.fifo" && name.isFIFO)
        }
        for url in [
            "http://h/000000000000/", "a b", ".fifo", String(repeating: "x", count: 81), "q.fif", "é",
        ] {
            #expect(Self.error(.purgeQueue, #"{"QueueUrl": "\#(url)"}"#) == .queueDoesNotExist, "\(url)")
        }
        let name = try #require(QueueName("q"))
        #expect(name.url(base: "http://h:1") == "http://h:1/000000000000/q")
        #expect(QueueName(String(repeating: "x", count: 75) + ".fifo") != nil)
        #expect(QueueName(String(repeating: "x", count: 76) + ".fifo") == nil)
    }

    @Test("targets name operations")
    func targets() throws {
        for operation in SQSOperation.allCases {
            #expect(try SQSOperation(target: operation.target) == operation)
        }
        for target in [
            "AmazonSQS.", "AmazonSQS.Receive", "ReceiveMessage", "DynamoDB.ReceiveMessage", nil,
        ] {
            let error = #expect(throws: SQSError.self) { try SQSOperation(target: target) }
            #expect(error?.code == "InvalidAction")
        }
        #expect(SQSOperation.sendMessage.right == .send)
        #expect(SQSOperation.deleteMessageBatch.right == .consume)
        #expect(SQSOperation.purgeQueue.right == .administer)
        #expect(SQSOperation.getQueueAttributes.right == .any)
    }

    @Test("tokens of pages come back; others are refused")
    func pages() throws {
        let token = SQSRequest.Page.token(after: "orders.fifo")
        guard
            case .listQueues(let prefix, let page) = try Self.read(
                .listQueues,
                #"{"QueueNamePrefix": "o", "MaxResults": 2, "NextToken": "\#(token)"}"#
            )
        else { return }
        #expect(prefix == "o" && page.after == "orders.fifo" && page.limit == 2)
        #expect(Self.error(.listQueues, #"{"NextToken": "%%"}"#)?.code == "InvalidParameterValue")
        #expect(Self.error(.listQueues, #"{"MaxResults": 1001}"#)?.code == "InvalidParameterValue")
    }

    @Test("moves name queues of this account, and a rate up to 500")
    func moves() throws {
        let arn = "arn:aws:sqs:eu-west-1:000000000000:dead.fifo"
        guard
            case .startMessageMoveTask(let move) = try Self.read(
                .startMessageMoveTask,
                #"{"SourceArn": "\#(arn)", "MaxNumberOfMessagesPerSecond": 500}"#
            )
        else { return }
        #expect(
            move.source.name.text == "dead.fifo" && move.destination == nil && move.perSecond == 500
        )
        #expect(
            Self.error(
                .startMessageMoveTask,
                #"{"SourceArn": "\#(arn)", "MaxNumberOfMessagesPerSecond": 501}"#
            )?
            .code
                == "InvalidParameterValue"
        )
        for bad in [
            "arn:aws:sqs:eu-west-1:111111111111:q", "arn:aws:sns:r:000000000000:q", "q",
            "arn:aws:sqs::000000000000:q",
        ] {
            let error = Self.error(.startMessageMoveTask, #"{"SourceArn": "\#(bad)"}"#)
            #expect(error == .resourceNotFound("SourceArn"), "\(bad)")
            #expect(error?.status == 404)
        }
        #expect(
            Self.error(.startMessageMoveTask, #"{"SourceArn": "\#(arn)", "DestinationArn": "x"}"#)
                == .resourceNotFound("DestinationArn")
        )
    }

    @Test("tags have their limits")
    func tags() {
        func tag(_ count: Int, key: String = "k", value: String = "v") -> String {
            let tags = (0..<count).map { #""\#(key)\#($0)": "\#(value)""# }.joined(separator: ",")
            return #"{"QueueUrl": "q", "Tags": {\#(tags)}}"#
        }
        #expect(Self.error(.tagQueue, tag(50)) == nil)
        #expect(Self.error(.tagQueue, tag(51))?.code == "InvalidParameterValue")
        #expect(
            Self.error(.tagQueue, tag(1, key: String(repeating: "k", count: 128)))?.code
                == "InvalidParameterValue"
        )
        #expect(
            Self.error(.tagQueue, tag(1, value: String(repeating: "v", count: 257)))?.code
                == "InvalidParameterValue"
        )
    }
}
