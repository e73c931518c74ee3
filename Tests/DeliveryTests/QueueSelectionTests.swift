import Catalog
import EventLog
import LibPQ
import Testing

@testable import Delivery

/// Queues over events that are rare: how far they looked is not forgotten.
@Suite(.serialized)
struct QueueSelectionTests {
    private static func fill(_ node: QueueNode) async throws -> Int64 {
        let price = try #require(Price(decimal: "1.5"))
        let id = try #require(ProductID(1))
        let product = try NewProduct(id: id, fields: ProductFields(code: "C", name: "N", model: "", price: price))
        _ = try await node.log.submit(.create(product), context: try QueueNode.context())
        var last: Int64 = 0
        for _ in 0..<50 {
            last = try #require(try await node.log.submit(.fetch(id), context: try QueueNode.context()).position)
        }
        return last
    }

    @Test func `the next owner looks on where the last one stopped, though it found nothing`() async throws {
        try await QueueNode.withDatabase { address in
            let first = try QueueNode(address, owner: "one")
            nonisolated(unsafe) var end: Int64 = 0
            try await first.run {
                end = try await Self.fill(first)
                let queue = try await first.make("deletions.fifo") { $0.events = EventSelection(types: [.deleted]) }
                #expect(try await queue.receive(wait: .milliseconds(500)).isEmpty)
            }
            let low = """
                select coalesce(max(low), 0) from queue_leases l join queues q using (queue_id)
                where q.name = 'deletions.fifo' and l.replay_no = 0
                """
            #expect(try QueueNode.sql(address, low) >= end)
            let second = try QueueNode(address, owner: "two")
            try await second.run {
                let id = try #require(ProductID(1))
                _ = try await second.log.submit(.command(.delete(id, .none)), context: try QueueNode.context())
                let queue = try await second.endpoint("deletions.fifo")
                #expect(try await queue.drain().map(\.groupID) == ["1"])
            }
        }
    }

    @Test func `messages that wait stay, however far the owner has looked when it leaves`() async throws {
        try await QueueNode.withDatabase { address in
            let first = try QueueNode(address, owner: "one")
            try await first.run {
                _ = try await Self.fill(first)
                let queue = try await first.make("creations.fifo") { $0.events = EventSelection(types: [.created]) }
                let given = try await queue.receive(1, seconds: 0, wait: .seconds(5))
                #expect(given.map(\.receiveCount) == [1])
                _ = try await queue.receive(seconds: 1, wait: .milliseconds(300))
            }
            let second = try QueueNode(address, owner: "two")
            try await second.run {
                let queue = try await second.endpoint("creations.fifo")
                var found: [ReceivedMessage] = []
                let deadline = ContinuousClock.now + .seconds(40)
                while found.isEmpty, ContinuousClock.now < deadline {
                    found = try await queue.receive(wait: .seconds(5))
                }
                #expect(found.map(\.groupID) == ["1"])
            }
        }
    }
}
