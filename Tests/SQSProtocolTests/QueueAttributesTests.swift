import Catalog
import SQSProtocol
import Testing

@Suite("Attributes of queues")
struct QueueAttributesTests {
    private static func json(_ pairs: [String: String]) -> String {
        var writer = JSONWriter()
        writer.value(
            .object(
                pairs.sorted { $0.key < $1.key }.map { JSONMember(key: $0.key, value: .string($0.value)) }
            )
        )
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static func create(_ name: String, _ pairs: [String: String] = [:]) throws(SQSError)
        -> QueueAttributes
    {
        let body = #"{"QueueName": "\#(name)", "Attributes": \#(json(pairs)), "tags": {"a": "b"}}"#
        guard case .createQueue(let creation) = try SQSRequest(.createQueue, body: Array(body.utf8))
        else {
            throw .internalFailure
        }
        return creation.attributes
    }

    private static func set(_ pairs: [String: String], isFIFO: Bool = true) throws(SQSError)
        -> QueueAttributes
    {
        let body = #"{"QueueUrl": "q", "Attributes": \#(json(pairs))}"#
        guard
            case .setQueueAttributes(_, let attributes) = try SQSRequest(
                .setQueueAttributes,
                body: Array(body.utf8)
            )
        else { throw .internalFailure }
        try attributes.check(isFIFO: isFIFO)
        return attributes
    }

    private static func error(_ body: () throws(SQSError) -> QueueAttributes) -> SQSError? {
        do throws(SQSError) {
            _ = try body()
            return nil
        } catch {
            return error
        }
    }

    private static let dead = "arn:aws:sqs:eu-west-1:000000000000:dead.fifo"

    @Test("everything that can be said is read and told again")
    func all() throws {
        let said = [
            "VisibilityTimeout": "0", "MessageRetentionPeriod": "1209600", "DelaySeconds": "900",
            "MaximumMessageSize": "1048576", "ReceiveMessageWaitTimeSeconds": "20", "FifoQueue": "true",
            "ContentBasedDeduplication": "true", "DeduplicationScope": "messageGroup",
            "FifoThroughputLimit": "perMessageGroupId",
            "RedrivePolicy": #"{"deadLetterTargetArn":"\#(Self.dead)","maxReceiveCount":3}"#,
            "RedriveAllowPolicy": #"{"redrivePermission":"byQueue","sourceQueueArns":["\#(Self.dead)"]}"#,
            "RastroSource": "events", "RastroEventTypes": "CREATED,NOT_FOUND", "RastroProductIds": "5,7",
            "RastroFromPosition": "new",
        ]
        let attributes = try Self.create("q.fifo", said)
        #expect(
            Dictionary(uniqueKeysWithValues: attributes.texts.map { ($0.key.rawValue, $0.value) }) == said
        )
        #expect(attributes.events?.types == [.created, .notFound])
        #expect(attributes.events?.start == .new)
        #expect(try Self.create("q").texts.isEmpty)
        #expect(
            try Self.create("q.fifo", ["FifoQueue": "true", "RastroSource": "events"]).events
                == EventSource()
        )
    }

    @Test(
        "values out of range are refused",
        arguments: [
            ("VisibilityTimeout", "43201"), ("VisibilityTimeout", "-1"), ("VisibilityTimeout", "x"),
            ("MessageRetentionPeriod", "59"), ("MessageRetentionPeriod", "1209601"),
            ("DelaySeconds", "901"),
            ("MaximumMessageSize", "1023"), ("MaximumMessageSize", "1048577"),
            ("ReceiveMessageWaitTimeSeconds", "21"),
            ("ContentBasedDeduplication", "yes"), ("DeduplicationScope", "group"),
            ("FifoThroughputLimit", ""),
        ]
    )
    func ranges(name: String, value: String) {
        let error = Self.error { () throws(SQSError) in try Self.set([name: value]) }
        #expect(error?.code == "InvalidAttributeValue")
        #expect(error?.message == "Invalid value for the parameter \(name).")
    }

    @Test("names that are unknown, read-only or said at creation only cannot be set")
    func names() throws {
        for name in [
            "Foo", "QueueArn", "ApproximateNumberOfMessages", "CreatedTimestamp", "RastroSource",
        ] {
            #expect(
                Self.error { () throws(SQSError) in try Self.set([name: "1"]) }?.code
                    == "InvalidAttributeName"
            )
        }
        #expect(
            Self.error { () throws(SQSError) in try Self.set(["FifoQueue": "true"], isFIFO: false) }?
                .message
                == "Unknown Attribute FifoQueue."
        )
        #expect(
            Self.error { () throws(SQSError) in try Self.set(["FifoQueue": "false"]) }?.message
                == "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."
        )
        #expect(try Self.set(["FifoQueue": "true"]).isFIFO)
        #expect(
            Self.error { () throws(SQSError) in
                try Self.set(["ContentBasedDeduplication": "true"], isFIFO: false)
            }?
            .message
                == "You can specify the ContentBasedDeduplication only when FifoQueue is set to true."
        )
        #expect(try Self.set(["Policy": "", "SqsManagedSseEnabled": "false"]).texts.isEmpty)
        #expect(
            Self.error { () throws(SQSError) in try Self.set(["SqsManagedSseEnabled": "true"]) }?.shape
                == "UnsupportedOperation"
        )
    }

    @Test("a FIFO queue's name and its attribute go together")
    func fifoNames() throws {
        _ = try Self.create("q.fifo", ["FifoQueue": "true"])
        for (name, pairs) in [
            ("q", ["FifoQueue": "true"]), ("q.fifo", [:]), ("a b", [:]), ("a b", ["FifoQueue": "true"]),
        ] {
            let error = Self.error { () throws(SQSError) in try Self.create(name, pairs) }
            #expect(error?.code == "InvalidParameterValue", "\(name)")
            #expect(error?.message.contains("must end with .fifo") == !pairs.isEmpty, "\(name)")
        }
        #expect(
            Self.error { () throws(SQSError) in try Self.create("q", ["FifoQueue": "false"]) }?.code
                == "InvalidAttributeValue"
        )
    }

    @Test("redrive policies name a queue and a count, written as a number or in quotes")
    func redrive() throws {
        func policy(_ text: String) throws(SQSError) -> QueueAttributes {
            try Self.set(["RedrivePolicy": text])
        }
        let arn = try #require(QueueARN(Self.dead))
        for count in ["1000", "\"1000\""] {
            let said = try policy(
                #"{"deadLetterTargetArn": "\#(Self.dead)", "maxReceiveCount": \#(count)}"#
            )
            #expect(
                said.redrivePolicy == .by(RedrivePolicy(deadLetterQueue: arn, maxReceiveCount: 1_000))
            )
        }
        #expect(try policy("").redrivePolicy == .never)
        let dummy = #"{"deadLetterTargetArn": "dummy", "maxReceiveCount": 42}"#
        #expect(
            Self.error { () throws(SQSError) in try policy(dummy) }?.message
                == "Value \(dummy) for parameter RedrivePolicy is invalid. Reason: Invalid value for deadLetterTargetArn."
        )
        for text in [
            "x", "[]", "{}", #"{"maxReceiveCount": 1}"#, #"{"deadLetterTargetArn": "\#(Self.dead)"}"#,
            #"{"deadLetterTargetArn": "\#(Self.dead)", "maxReceiveCount": 0}"#,
            #"{"deadLetterTargetArn": "\#(Self.dead)", "maxReceiveCount": 1001}"#,
        ] {
            let error = Self.error { () throws(SQSError) in try policy(text) }
            #expect(error?.code == "InvalidParameterValue", "\(text)")
        }
    }

    @Test("redrive-allow policies name who may")
    func redriveAllow() throws {
        func policy(_ text: String) throws(SQSError) -> RedriveAllowPolicy? {
            try Self.set(["RedriveAllowPolicy": text]).redriveAllowPolicy
        }
        #expect(try policy(#"{"redrivePermission": "allowAll"}"#) == .allowAll)
        #expect(try policy(#"{"redrivePermission": "denyAll"}"#) == .denyAll)
        #expect(try policy("") == .allowAll)
        for text in [
            "x", "{}", #"{"redrivePermission": "some"}"#, #"{"redrivePermission": "byQueue"}"#,
            #"{"redrivePermission": "byQueue", "sourceQueueArns": []}"#,
            #"{"redrivePermission": "byQueue", "sourceQueueArns": ["x"]}"#,
            #"{"redrivePermission": "allowAll", "sourceQueueArns": ["\#(Self.dead)"]}"#,
        ] {
            #expect(throws: SQSError.self, "\(text)") { try policy(text) }
        }
    }

    @Test("what a queue over the log holds is said with RastroSource, and only so")
    func eventSources() {
        func error(_ pairs: [String: String]) -> SQSError? {
            Self.error { () throws(SQSError) in
                try Self.create("q.fifo", pairs.merging(["FifoQueue": "true"]) { $1 })
            }
        }
        #expect(error(["RastroEventTypes": "CREATED"])?.code == "InvalidAttributeName")
        #expect(error(["RastroSource": "log"])?.code == "InvalidAttributeValue")
        for (name, value) in [
            ("RastroEventTypes", "created"), ("RastroProductIds", "0"), ("RastroProductIds", "x"),
            ("RastroFromPosition", "0"), ("RastroFromPosition", "New"),
        ] {
            #expect(
                error(["RastroSource": "events", name: value])?.code == "InvalidAttributeValue",
                "\(name) \(value)"
            )
        }
    }

    @Test("selections know the names of SQS that have no meaning here")
    func selections() throws {
        #expect(try QueueAttributeName.selection([]).isEmpty)
        #expect(try QueueAttributeName.selection(["All"]).count == QueueAttributeName.allCases.count)
        #expect(try QueueAttributeName.selection(["QueueArn", "Policy"]) == [.queueArn])
        #expect(throws: SQSError.invalidAttributeName("Foo")) {
            try QueueAttributeName.selection(["Foo"])
        }
    }
}
