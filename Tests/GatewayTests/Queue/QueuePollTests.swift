import Catalog
import EventLog
import Gateway
import SQSProtocol
import Testing

@Suite("Long polls and forwarding")
struct QueuePollTests {
    private static func makeQueue(_ gateway: QueueGateway, as key: AccessKey) async throws {
        let made = try await gateway.ask(
            .createQueue,
            #"{"QueueName": "a.fifo", "Attributes": {"FifoQueue": "true", "ContentBasedDeduplication": "true"}}"#,
            as: key
        )
        #expect(made.status == 200)
    }

    private static func message(_ body: String) -> String {
        #"{"QueueUrl": "a.fifo", "MessageBody": "\#(body)", "MessageGroupId": "g"}"#
    }

    private static let poll = #"{"QueueUrl": "a.fifo", "WaitTimeSeconds": 20}"#

    @Test("a long poll leaves its place to others, wakes on a send, and its own places are bounded")
    func polls() async throws {
        try await QueueGateway.withDatabase { address in
            let gateway = try QueueGateway(address) {
                $0.waitingRequestsLimit = 1
                $0.waitingPollsLimit = 1
            }
            try await gateway.run {
                let key = try await gateway.makeKey([.admin])
                try await Self.makeQueue(gateway, as: key)
                let start = ContinuousClock.now
                // Either may find the one place taken by the other: the first comes again until it waits.
                async let first = QueueGateway.untilServed {
                    try await gateway.ask(.receiveMessage, Self.poll, as: key)
                }
                var second: QueueReply
                repeat {
                    try await Task.sleep(for: .milliseconds(200))
                    second = try await gateway.ask(
                        .receiveMessage,
                        #"{"QueueUrl": "a.fifo", "WaitTimeSeconds": 1}"#,
                        as: key
                    )
                } while second.status == 200 && ContinuousClock.now - start < .seconds(15)
                #expect(second.status == 503 && second.headers["retry-after"] != nil)
                let sent = try await QueueGateway.untilServed {
                    try await gateway.ask(.sendMessage, Self.message("foo"), as: key)
                }
                #expect(sent.status == 200)
                #expect(try await first.bodies == ["foo"])
                #expect(ContinuousClock.now - start < .seconds(18))
            }
        }
    }

    @Test("a gateway that owns no queue sends requests on to the one that does, as they were signed, and once only")
    func forwarding() async throws {
        try await QueueGateway.withDatabase { address in
            let owner = try QueueGateway(address)
            let other = try QueueGateway(address, ownsQueues: false)
            try await owner.run {
                try await other.run {
                    let key = try await owner.makeKey([.admin])
                    try await Self.makeQueue(owner, as: key)
                    // The owner takes a queue when it is first asked.
                    #expect(try await owner.ask(.sendMessage, Self.message("one"), as: key).status == 200)
                    #expect(try await other.ask(.sendMessage, Self.message("two"), as: key).status == 200)
                    let received = try await other.ask(
                        .receiveMessage,
                        #"{"QueueUrl": "a.fifo", "MaxNumberOfMessages": 10}"#,
                        as: key
                    )
                    #expect(received.bodies == ["one", "two"])
                    let wrong = try await other.ask(
                        .receiveMessage,
                        #"{"QueueUrl": "a.fifo", "WaitTimeSeconds": 21}"#,
                        as: key
                    )
                    #expect(wrong.code == "InvalidParameterValue")

                    async let waiting = other.ask(
                        .receiveMessage,
                        #"{"QueueUrl": "a.fifo", "WaitTimeSeconds": 20}"#,
                        as: key
                    )
                    let handles = received.messages.compactMap { $0["ReceiptHandle"]?.text }
                    for handle in handles {
                        let deletion = #"{"QueueUrl": "a.fifo", "ReceiptHandle": "\#(handle)"}"#
                        #expect(try await other.ask(.deleteMessage, deletion, as: key).status == 200)
                    }
                    #expect(try await owner.ask(.sendMessage, Self.message("three"), as: key).status == 200)
                    #expect(try await waiting.bodies == ["three"])

                    let marked = try await other.ask(.sendMessage, Self.message("four"), as: key) { request in
                        request.fields.append(SignableRequest.Field("x-rastro-forwarded", "1"))
                    }
                    #expect(marked.status == 503 && marked.headers["x-rastro-not-owner"] == "true")
                }
            }
        }
    }
    @Test("a receive that waits ends within seconds of its key's revocation, and is given nothing")
    func revocation() async throws {
        try await QueueGateway.withDatabase { address in
            let gateway = try QueueGateway(address) { $0.waitingPollsLimit = 1 }
            try await gateway.run {
                let key = try await gateway.makeKey([.admin])
                try await Self.makeQueue(gateway, as: key)
                let keys = KeyAdministration(log: gateway.log, context: .system(.server))
                let owner = try #require(UserID(external: "ana"))
                let issued = try await keys.create(owner: owner, scopes: [.queueConsume])
                let consumer = try QueueGateway.accessKey(issued)
                let start = ContinuousClock.now
                async let waiting = QueueGateway.untilServed {
                    try await gateway.ask(.receiveMessage, Self.poll, as: consumer)
                }
                try await gateway.untilOnePollWaits(at: "a.fifo", as: key)
                _ = try await keys.revoke(issued.keyID)
                #expect(try await waiting.code == "InvalidClientTokenId")
                #expect(ContinuousClock.now - start < .seconds(18))
            }
        }
    }

    @Test("an answer of ten messages as long as may be comes through a gateway that does not own the queue")
    func longAnswers() async throws {
        try await QueueGateway.withDatabase { address in
            let owner = try QueueGateway(address)
            let other = try QueueGateway(address, ownsQueues: false)
            try await owner.run {
                try await other.run {
                    let key = try await owner.makeKey([.admin])
                    _ = try await owner.ask(.createQueue, #"{"QueueName": "long"}"#, as: key)
                    let body = String(repeating: #"\""#, count: 1 << 20)
                    for _ in 0..<10 {
                        let message = #"{"QueueUrl": "long", "MessageBody": "\#(body)"}"#
                        #expect(try await owner.ask(.sendMessage, message, as: key).status == 200)
                    }
                    let received = try await other.ask(
                        .receiveMessage,
                        #"{"QueueUrl": "long", "MaxNumberOfMessages": 10, "WaitTimeSeconds": 10}"#,
                        as: key
                    )
                    #expect(received.status == 200 && received.text.utf8.count > 20 << 20)
                }
            }
        }
    }

    @Test("a request id that the client signed is sent on as it is")
    func signedRequestID() async throws {
        try await QueueGateway.withDatabase { address in
            let owner = try QueueGateway(address)
            let other = try QueueGateway(address, ownsQueues: false)
            try await owner.run {
                try await other.run {
                    let key = try await owner.makeKey([.admin])
                    try await Self.makeQueue(owner, as: key)
                    #expect(try await owner.ask(.receiveMessage, #"{"QueueUrl": "a.fifo"}"#, as: key).status == 200)
                    for id in ["mine", "of characters (others)"] {
                        let reply = try await other.ask(
                            .receiveMessage,
                            #"{"QueueUrl": "a.fifo"}"#,
                            as: key,
                            fields: [SignableRequest.Field("x-request-id", id)]
                        )
                        #expect(reply.status == 200, "\(id): \(reply.text)")
                    }
                }
            }
        }
    }
}
