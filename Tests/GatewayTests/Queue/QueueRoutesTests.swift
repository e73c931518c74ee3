import Catalog
import EventLog
import Gateway
import LibPQ
import SQSProtocol
import Testing

@Suite("Queues over HTTP")
struct QueueRoutesTests {
    private static let fifo = #""Attributes": {"FifoQueue": "true", "ContentBasedDeduplication": "true"}"#

    @Test("a message goes in, comes out with what was asked for, and is gone once deleted")
    func roundTrip() async throws {
        try await QueueGateway.withDatabase { address in
            let gateway = try QueueGateway(address)
            try await gateway.run {
                let key = try await gateway.makeKey([.queueAdmin, .queueConsume, .queueSend])
                let made = try await gateway.ask(.createQueue, #"{"QueueName": "a.fifo", \#(Self.fifo)}"#, as: key)
                #expect(made.json["QueueUrl"]?.text == "http://127.0.0.1:\(gateway.port)/000000000000/a.fifo")
                #expect(made.headers["content-type"] == "application/x-amz-json-1.0")
                #expect(made.headers["x-amzn-requestid"]?.isEmpty == false)

                let attributes = #"{"n": {"DataType": "String", "StringValue": "x"}}"#
                let sent = try await gateway.ask(
                    .sendMessage,
                    #"{"QueueUrl": "a.fifo", "MessageBody": "foo", "MessageGroupId": "g", "MessageAttributes": \#(attributes)}"#,
                    as: key
                )
                #expect(sent.json["MD5OfMessageBody"]?.text == "acbd18db4cc2f85cedef654fccc4a4d8")
                let received = try await gateway.ask(
                    .receiveMessage,
                    #"{"QueueUrl": "a.fifo", "AttributeNames": ["All"], "MessageAttributeNames": ["All"]}"#,
                    as: key
                )
                let message = try #require(received.messages.first)
                #expect(message["Body"]?.text == "foo")
                #expect(message["MessageId"] == sent.json["MessageId"])
                #expect(message["Attributes"]?["SequenceNumber"] == sent.json["SequenceNumber"])
                #expect(message["Attributes"]?["MessageGroupId"]?.text == "g")
                #expect(message["MessageAttributes"]?["n"]?["StringValue"]?.text == "x")
                #expect(message["MD5OfMessageAttributes"] == sent.json["MD5OfMessageAttributes"])

                let handle = try #require(message["ReceiptHandle"]?.text)
                let deletion = #"{"QueueUrl": "a.fifo", "ReceiptHandle": "\#(handle)"}"#
                for _ in 0..<2 {
                    let deleted = try await gateway.ask(.deleteMessage, deletion, as: key)
                    #expect(deleted.status == 200 && deleted.text == "{}")
                }
                let forged = try await gateway.ask(
                    .deleteMessage,
                    deletion.replacing(handle, with: String(handle.dropLast() + (handle.hasSuffix("0") ? "1" : "0"))),
                    as: key
                )
                #expect(forged.code == "ReceiptHandleIsInvalid" && forged.status == 400)
                #expect(try await gateway.ask(.receiveMessage, #"{"QueueUrl": "a.fifo"}"#, as: key).text == "{}")
            }
        }
    }

    @Test("who cannot prove who he is learns why, and leaves no trace")
    func signatures() async throws {
        try await QueueGateway.withDatabase { address in
            let gateway = try QueueGateway(address)
            try await gateway.run {
                let key = try await gateway.makeKey([.admin])
                let end = try await gateway.end()
                func code(
                    as other: AccessKey? = nil,
                    at time: Timestamp = .now(),
                    change: (inout SignableRequest) -> Void = { _ in }
                ) async throws -> String {
                    let reply = try await gateway.ask(.listQueues, "{}", as: other ?? key, at: time, change: change)
                    return "\(reply.status) \(reply.code ?? "-")"
                }
                #expect(try await code() == "200 -")
                let wrong = AccessKey(id: key.id, secret: "wrong")
                #expect(try await code(as: wrong) == "403 SignatureDoesNotMatch")
                for id in ["AKIAEXAMPLE", "RASTROKEYAAAAAAAA", key.id.lowercased()] {
                    let unknown = AccessKey(id: id, secret: key.secret)
                    #expect(try await code(as: unknown) == "403 InvalidClientTokenId")
                }
                let old = Timestamp.now().advanced(byMicroseconds: -960_000_000)
                #expect(try await code(at: old) == "403 SignatureDoesNotMatch")
                #expect(
                    try await code { $0.fields.removeAll { $0.name == "authorization" } }
                        == "403 MissingAuthenticationToken"
                )
                #expect(
                    try await code { request in
                        request.fields.removeAll { $0.name == "authorization" }
                        request.fields.append(SignableRequest.Field("authorization", "Bearer x"))
                    } == "400 IncompleteSignature"
                )
                let other = try await gateway.ask(.listQueues, "{}", as: key) { request in
                    request.fields.removeAll { $0.name == "x-amz-target" }
                    request.fields.append(SignableRequest.Field("x-amz-target", "AmazonSQS.PurgeQueue"))
                }
                #expect(other.code == "SignatureDoesNotMatch")
                #expect(try await gateway.end() == end)
            }
        }
    }

    @Test("a form-encoded post and an unknown operation get a clear 400")
    func otherProtocols() async throws {
        try await QueueGateway.withDatabase { address in
            let gateway = try QueueGateway(address)
            try await gateway.run {
                let form = SignableRequest(
                    method: "POST",
                    path: "/",
                    fields: [
                        SignableRequest.Field("host", "h"),
                        SignableRequest.Field("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
                    ],
                    body: []
                )
                let reply = try await gateway.send(form, "Action=ListQueues&Version=2012-11-05")
                #expect(reply.status == 400 && reply.text.contains("<Message>The AWS query protocol"))

                let key = try await gateway.makeKey([.admin])
                var request = SignableRequest(
                    method: "POST",
                    path: "/000000000000/a.fifo",
                    fields: [
                        SignableRequest.Field("host", "127.0.0.1"),
                        SignableRequest.Field("x-amz-target", "AmazonSQS.Dance"),
                    ],
                    body: Array("{}".utf8)
                )
                RequestSigner(key, region: "r").sign(&request, at: .now())
                let unknown = try await gateway.send(request, "{}")
                #expect(unknown.status == 400 && unknown.code == "InvalidAction")
            }
        }
    }

    @Test("each operation needs its scope; a refusal is recorded as DENIED")
    func scopes() async throws {
        try await QueueGateway.withDatabase { address in
            let gateway = try QueueGateway(address)
            try await gateway.run {
                let consumer = try await gateway.makeKey([.queueConsume])
                let reader = try await gateway.makeKey([.productsRead, .auditRead], user: "ben")
                #expect(try await gateway.ask(.listQueues, "{}", as: consumer).status == 200)
                let end = try await gateway.end()
                for (key, operation) in [
                    (consumer, SQSOperation.sendMessage), (consumer, .createQueue), (reader, .receiveMessage),
                    (reader, .listQueues),
                ] {
                    let reply = try await gateway.ask(operation, "{}", as: key)
                    #expect(reply.status == 403 && reply.code == "AccessDenied", "\(operation)")
                }
                let events = try await gateway.events(after: end)
                #expect(events.map(\.type) == [.denied, .denied, .denied, .denied])
                #expect(events.map(\.userID) == ["ana", "ana", "ben", "ben"])
                #expect(
                    String(decoding: events.first?.data ?? [], as: UTF8.self)
                        == #"{"method":"POST","route":"/","scope":"queue:send"}"#
                )
            }
        }
    }

    @Test("only the relay sends to the built-in queues, and only the built-in consumer empties its own")
    func builtIn() async throws {
        try await QueueGateway.withDatabase { address in
            let gateway = try QueueGateway(address)
            try await gateway.run {
                let key = try await gateway.makeKey([.admin])
                for name in ["product-events.fifo", "product-events-dead.fifo", "product-activity.fifo"] {
                    let sent = try await gateway.ask(
                        .sendMessage,
                        #"{"QueueUrl": "\#(name)", "MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "d"}"#,
                        as: key
                    )
                    #expect(sent.code == "AccessDenied", "\(name)")
                }
                let taken = try await gateway.ask(.receiveMessage, #"{"QueueUrl": "product-activity.fifo"}"#, as: key)
                #expect(taken.code == "AccessDenied")
                let event = try await gateway.ask(
                    .receiveMessage,
                    #"{"QueueUrl": "product-events.fifo", "AttributeNames": ["All"], "WaitTimeSeconds": 10}"#,
                    as: key
                )
                #expect(
                    try JSONParser.parse(Array(try #require(event.bodies.first).utf8))["specversion"]?.text == "1.0"
                )
                #expect(event.messages.first?["Attributes"]?["SenderId"]?.text == "rastro")
                let kept = try await gateway.ask(
                    .setQueueAttributes,
                    #"{"QueueUrl": "product-events.fifo", "Attributes": {"DelaySeconds": "5"}}"#,
                    as: key
                )
                #expect(kept.code == "AccessDenied")
            }
        }
    }

    @Test("nobody moves messages of his own among the log's events or into Rastro's own dead-letter queues")
    func forgedMoves() async throws {
        try await QueueGateway.withDatabase { address in
            let gateway = try QueueGateway(address)
            try await gateway.run {
                let key = try await gateway.makeKey([.queueAdmin, .queueSend])
                func arn(_ name: String) -> String { "arn:aws:sqs:eu-west-1:000000000000:\(name)" }
                func policy(_ name: String) -> String {
                    #""{\"deadLetterTargetArn\":\"\#(arn(name))\",\"maxReceiveCount\":1}""#
                }
                _ = try await gateway.ask(.createQueue, #"{"QueueName": "mine.fifo", \#(Self.fifo)}"#, as: key)
                let source = try await gateway.ask(
                    .createQueue,
                    #"{"QueueName": "s.fifo", "Attributes": {"FifoQueue": "true", "RedrivePolicy": \#(policy("mine.fifo"))}}"#,
                    as: key
                )
                #expect(source.status == 200, "\(source.text)")
                for name in ["product-events.fifo", "product-activity.fifo", "product-events-dead.fifo"] {
                    let moved = try await gateway.ask(
                        .startMessageMoveTask,
                        #"{"SourceArn": "\#(arn("mine.fifo"))", "DestinationArn": "\#(arn(name))"}"#,
                        as: key
                    )
                    #expect(moved.status == 403 && moved.code == "AccessDenied", "\(name): \(moved.text)")
                }
                let buried = try await gateway.ask(
                    .createQueue,
                    #"{"QueueName": "t.fifo", "Attributes": {"FifoQueue": "true", "RedrivePolicy": \#(policy("product-events-dead.fifo"))}}"#,
                    as: key
                )
                #expect(buried.code == "InvalidParameterValue", "\(buried.text)")
                let back = try await gateway.ask(
                    .startMessageMoveTask,
                    #"{"SourceArn": "\#(arn("product-events-dead.fifo"))", "DestinationArn": "\#(arn("product-events.fifo"))"}"#,
                    as: key
                )
                #expect(back.status == 200, "events that died there may go back: \(back.text)")
                let purged = try await gateway.ask(.purgeQueue, #"{"QueueUrl": "product-activity.fifo"}"#, as: key)
                #expect(purged.code == "AccessDenied", "what was not counted yet would never be")
            }
        }
    }

    @Test("only sends may be long; other requests have 64 KiB")
    func shortBodies() async throws {
        try await QueueGateway.withDatabase { address in
            let gateway = try QueueGateway(address)
            try await gateway.run {
                let key = try await gateway.makeKey([.admin])
                let most = "{}" + String(repeating: " ", count: (64 << 10) - 2)
                #expect(try await gateway.ask(.listQueues, most, as: key).status == 200)
                #expect(try await gateway.ask(.listQueues, most + " ", as: key).status == 413)
            }
        }
    }

    @Test("a region is a name, not text", arguments: ["eu\"west", "EU", String(repeating: "r", count: 65)])
    func regions(region: String) async throws {
        try await QueueGateway.withDatabase { address in
            let gateway = try QueueGateway(address)
            try await gateway.run {
                let key = try await gateway.makeKey([.admin])
                let reply = try await gateway.ask(.listQueues, "{}", as: key, region: region)
                #expect(reply.code == "SignatureDoesNotMatch" && reply.status == 403)
            }
        }
    }

    @Test("tags that are set and removed stand in the log")
    func tagging() async throws {
        try await QueueGateway.withDatabase { address in
            let gateway = try QueueGateway(address)
            try await gateway.run {
                let key = try await gateway.makeKey([.queueAdmin])
                _ = try await gateway.ask(.createQueue, #"{"QueueName": "a"}"#, as: key)
                let end = try await gateway.end()
                _ = try await gateway.ask(.tagQueue, #"{"QueueUrl": "a", "Tags": {"team": "x"}}"#, as: key)
                _ = try await gateway.ask(.untagQueue, #"{"QueueUrl": "a", "TagKeys": ["team"]}"#, as: key)
                let events = try await gateway.events(after: end)
                #expect(events.map(\.type) == [.operated, .operated])
                #expect(events.allSatisfy { String(decoding: $0.data ?? [], as: UTF8.self).contains("queue.tagged") })
                #expect(try await gateway.ask(.listQueueTags, #"{"QueueUrl": "a"}"#, as: key).text == "{}")
            }
        }
    }

    @Test("a message of 1 MiB may be eight times that long in JSON; a longer request is refused")
    func sizes() async throws {
        try await QueueGateway.withDatabase { address in
            let gateway = try QueueGateway(address) { $0.queueBodyLimitBytes = 8 << 20 }
            try await gateway.run {
                let key = try await gateway.makeKey([.admin])
                _ = try await gateway.ask(.createQueue, #"{"QueueName": "a"}"#, as: key)
                let escaped = String(repeating: #"\u0061"#, count: 1 << 20)
                let sent = try await gateway.ask(
                    .sendMessage,
                    #"{"QueueUrl": "a", "MessageBody": "\#(escaped)"}"#,
                    as: key
                )
                #expect(sent.status == 200)
                let beyond = try await gateway.ask(
                    .sendMessage,
                    #"{"QueueUrl": "a", "MessageBody": "\#(escaped)a"}"#,
                    as: key
                )
                #expect(beyond.code == "InvalidParameterValue")
                let long = try await gateway.ask(
                    .sendMessage,
                    "{}" + String(repeating: " ", count: 8 << 20),
                    as: key
                )
                #expect(long.status == 413)
            }
        }
    }

    @Test("a server without a secret says so")
    func noSecret() async throws {
        try await QueueGateway.withDatabase { address in
            let gateway = try QueueGateway(address, hasSecret: false)
            try await gateway.run {
                let key = try await gateway.makeKey([.admin])
                let reply = try await gateway.ask(.listQueues, "{}", as: key)
                #expect(reply.status == 400 && reply.text.contains("RASTRO_SECRET_FILE"))
            }
        }
    }

    @Test("a rotated key's new pair serves; the old one and a revoked one do not")
    func rotation() async throws {
        try await QueueGateway.withDatabase { address in
            let gateway = try QueueGateway(address)
            try await gateway.run {
                let owner = try #require(UserID(external: "ana"))
                let keys = KeyAdministration(log: gateway.log, context: .system(.server))
                let first = try await keys.create(owner: owner, scopes: [.queueConsume])
                let second = try #require(try await keys.rotate(first.keyID))
                #expect(second.generation == 2)
                let (old, new) = (try QueueGateway.accessKey(first), try QueueGateway.accessKey(second))
                #expect(old.id == new.id && old.secret != new.secret)
                #expect(try await gateway.ask(.listQueues, "{}", as: new).status == 200)
                #expect(try await gateway.ask(.listQueues, "{}", as: old).code == "SignatureDoesNotMatch")
                let ended = try await keys.create(owner: owner, scopes: [.queueConsume])
                _ = try await keys.revoke(ended.keyID)
                let reply = try await gateway.ask(.listQueues, "{}", as: try QueueGateway.accessKey(ended))
                #expect(reply.code == "InvalidClientTokenId")
            }
        }
    }
}

extension QueueGateway {
    func events(after position: Int64 = 0) async throws -> [RecordedEvent] {
        try await log.readers.withConnection { try RecordedEvent.read($0, after: position, limit: 10_000) }
    }

    func end() async throws -> Int64 { try await events().last?.position ?? 0 }
}
