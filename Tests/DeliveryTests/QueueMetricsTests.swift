import Catalog
import EventLog
import LibPQ
import Monitoring
import Testing

@testable import Delivery

/// What metrics tell of queues over a real database.
@Suite(.serialized)
struct QueueMetricsTests {
    private static func running(_ body: @Sendable (QueueNode) async throws -> Void) async throws {
        try await QueueNode.withDatabase { address in
            let node = try QueueNode(address, owner: "one")
            try await node.run { try await body(node) }
        }
    }

    private static func known(_ node: QueueNode, _ name: String) async throws -> DeliveryLevels.Queue {
        let levels = try await node.log.readers.withConnection { try DeliveryLevels.read($0) }
        return try #require(levels.queues.first { $0.name == name })
    }

    private static func owned(_ node: QueueNode, _ name: String) async throws -> QueueLevel {
        try #require(await node.directory.levels().first { $0.name == name })
    }

    private static func total(_ node: QueueNode, _ metric: Metric, _ queue: String) -> Int64 {
        node.log.metrics.counter(metric, [queue]).value
    }

    @Test func `an owner tells what can be received, is in flight and delayed, and how old the oldest is`() async throws
    {
        try await Self.running { node in
            let queue = try await node.make("work", isFIFO: false)
            _ = try await queue.send([
                NewMessage(body: "now", groupID: nil, deduplicationID: nil, sender: 1),
                NewMessage(body: "then", groupID: nil, deduplicationID: nil, sender: 1),
                NewMessage(body: "later", groupID: nil, deduplicationID: nil, delay: .seconds(600), sender: 1),
            ])
            let given = try await queue.receive(1)
            var level = try await Self.owned(node, "work")
            #expect(level.counts == QueueCounts(visible: 1, inFlight: 1, delayed: 1))
            let age = try #require(level.age)
            #expect(age > 0)
            // The oldest stays the oldest, received or not.
            level = try await Self.owned(node, "work")
            #expect(try #require(level.age) > age)
            _ = try await queue.delete(given.map(\.receiptHandle))
            #expect(try await Self.owned(node, "work").counts == QueueCounts(visible: 1, inFlight: 0, delayed: 1))
            #expect(Self.total(node, .queueSent, "work") == 3)
            #expect(Self.total(node, .queueReceived, "work") == 1)
            #expect(Self.total(node, .queueDeleted, "work") == 1)
            let known = try await Self.known(node, "work")
            #expect(known.hasOwner && known.age == nil && known.behind >= 2)
        }
    }

    @Test func `an empty queue has no oldest message, though its last row stays`() async throws {
        try await Self.running { node in
            let queue = try await node.make("orders.fifo")
            try await queue.send(["a", "b", "a"])
            #expect(Self.total(node, .queueSent, "orders.fifo") == 2)
            _ = try await queue.drain()
            let level = try await Self.owned(node, "orders.fifo")
            #expect(level.age == nil && level.counts == QueueCounts(visible: 0, inFlight: 0, delayed: 0))
        }
    }

    @Test func `dead letters are counted where they died, until they are deleted`() async throws {
        try await Self.running { node in
            let dead = try await node.make("dead.fifo")
            let queue = try await node.make("orders.fifo") {
                $0.deadLetterQueue = "dead.fifo"
                $0.maxReceiveCount = 1
            }
            try await queue.send(["poison"])
            #expect(try await queue.receive(seconds: 0).count == 1)
            #expect(try await queue.receive(seconds: 0).isEmpty)
            #expect(Self.total(node, .queueDeadLettered, "orders.fifo") == 1)
            #expect(try await Self.known(node, "orders.fifo").dead == 1)
            let letters = try await dead.receive(wait: .seconds(5))
            #expect(letters.map(\.body) == ["poison"])
            _ = try await dead.delete(letters.map(\.receiptHandle))
            #expect(try await Self.known(node, "orders.fifo").dead == 0)
        }
    }

    @Test func `a queue that nobody owns tells its backlog and the age of the oldest that its filter lets pass`()
        async throws
    {
        try await Self.running { node in
            let queue = try await node.make("deletes.fifo") {
                $0.events = EventSelection(types: [.deleted], products: [], after: 0)
            }
            _ = try await queue.receive()
            // Asking for metrics does not count as use: after 3 s its owner gives it up.
            let deadline = ContinuousClock.now + .seconds(20)
            while try await Self.known(node, "deletes.fifo").hasOwner, ContinuousClock.now < deadline {
                _ = await node.directory.levels()
                try await Task.sleep(for: .milliseconds(50))
            }
            var known = try await Self.known(node, "deletes.fifo")
            #expect(!known.hasOwner && known.age == nil)
            let fields = ProductFields(code: "C", name: "N", model: "", price: try #require(Price(decimal: "1")))
            let (id, context) = (ProductID(1), try QueueNode.context())
            _ = try await node.log.submit(.create(try NewProduct(id: id, fields: fields)), context: context)
            #expect(try await Self.known(node, "deletes.fifo").age == nil)
            let delete = Command.delete(try #require(id), .none)
            _ = try await node.log.submit(.command(delete), context: context)
            known = try await Self.known(node, "deletes.fifo")
            #expect(try #require(known.age) > 0)
            #expect(known.behind > 0)
        }
    }
}
