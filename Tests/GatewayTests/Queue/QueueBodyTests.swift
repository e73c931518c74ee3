import Catalog
import EventLog
import Gateway
import SQSProtocol
import Testing

@Suite("Bodies of requests to queues")
struct QueueBodyTests {
    private static func message(_ count: Int) -> String {
        #"{"QueueUrl": "a", "MessageBody": "\#(String(repeating: "x", count: count))"}"#
    }

    @Test("all that are under way together are bounded; what is beyond is to come again")
    func budget() async throws {
        try await QueueGateway.withDatabase { address in
            let gateway = try QueueGateway(address) { $0.queueBodiesLimitBytes = 1 << 20 }
            try await gateway.run {
                let key = try await gateway.makeKey([.admin])
                _ = try await gateway.ask(.createQueue, #"{"QueueName": "a"}"#, as: key)
                let body = Self.message(900_000)
                let request = gateway.signed(.sendMessage, body, as: AccessKey(id: key.id, secret: "nobody knows yet"))
                let deadline = ContinuousClock.now + .seconds(20)
                var held: RawConnection
                var refused: QueueReply
                repeat {
                    held = try RawConnection(port: gateway.port)
                    #expect(held.send(QueueGateway.head(of: request, contentLength: body.utf8.count)))
                    await held.sendWhole(String(body.prefix(800_000)))
                    refused = try await gateway.ask(.sendMessage, Self.message(300_000), as: key)
                    // The last of the held bytes may come while these are there: then it is the other that is refused.
                    if refused.status == 200 { held.close() }
                } while refused.status == 200 && ContinuousClock.now < deadline
                #expect(refused.status == 503 && refused.code == "ServiceUnavailable", "\(refused.text)")
                #expect(refused.headers["retry-after"] != nil)
                held.close()
                var sent: QueueReply
                repeat {
                    sent = try await gateway.ask(.sendMessage, Self.message(300_000), as: key)
                } while sent.status == 503 && ContinuousClock.now < deadline
                #expect(sent.status == 200)
            }
        }
    }

    @Test("a receive that waits keeps no long body")
    func waiting() async throws {
        try await QueueGateway.withDatabase { address in
            let gateway = try QueueGateway(address) {
                $0.queueBodiesLimitBytes = 48 << 10
                $0.waitingPollsLimit = 1
            }
            try await gateway.run {
                let key = try await gateway.makeKey([.admin])
                _ = try await gateway.ask(.createQueue, #"{"QueueName": "a"}"#, as: key)
                let padding = String(repeating: " ", count: 40 << 10)
                let start = ContinuousClock.now
                async let poll = QueueGateway.untilServed {
                    try await gateway.ask(
                        .receiveMessage,
                        #"{"QueueUrl": "a", "WaitTimeSeconds": 15}"# + padding,
                        as: key
                    )
                }
                try await gateway.untilOnePollWaits(at: "a", as: key)
                var other: QueueReply
                repeat {
                    other = try await gateway.ask(.listQueues, "{}" + padding, as: key)
                } while other.status == 503 && ContinuousClock.now - start < .seconds(12)
                #expect(other.status == 200)
                _ = try await gateway.ask(.sendMessage, Self.message(1), as: key)
                #expect(try await poll.bodies == ["x"])
            }
        }
    }
}
