import Catalog
import EmbeddedPostgres
import EventLog
import LibPQ
import TestSupport
import Testing

@testable import Delivery

/// A consumer's workers over a real queue.
@Suite(.serialized)
struct ConsumerServiceTests {
    @Test func `each event has its effect once, also when it was applied by a process that died before deleting it`()
        async throws
    {
        try await ConsumerNode.withDatabase { address in
            let consumer = EffectsConsumer()
            let first = try ConsumerNode(address, owner: "one")
            try await first.run {
                let filled = try await first.fill(products: 8, fetches: 12)
                let all = filled.values.flatMap { $0 }
                // Half of it is applied and stays in flight, as after a crash; the rest was never handed out.
                let messages = try await first.receive(50, visibility: .seconds(1))
                try await first.store(consumer).apply(messages.map(\.position).sorted())
                #expect(messages.count < all.count)
            }
            let second = try ConsumerNode(address, owner: "two", consumer)
            try await second.run {
                let last = try second.number("select max(position) from events")
                try await until { try second.number("select count(*) from effects") >= last }
                try await until { try second.number("select count(*) from consumer_inbox") == 0 }
                try Self.expectEachOnce(second, through: last)
            }
        }
    }

    @Test func `with parallel workers a product whose event fails waits alone, in order, and harms no other`()
        async throws
    {
        try await ConsumerNode.withDatabase { address in
            let consumer = EffectsConsumer()
            let filler = try ConsumerNode(address, owner: "filler")
            nonisolated(unsafe) var filled: [Int64: [Int64]] = [:]
            try await filler.run { filled = try await filler.fill(products: 12, fetches: 30) }
            let positions = filled
            let held = try #require(positions[1])
            consumer.set { $0.poison = [held[3]] }
            let slow = RetryDelay(first: .seconds(2), limit: .seconds(2))
            let node = try ConsumerNode(address, owner: "one", consumer, retry: slow)
            try await node.run {
                let others = positions.filter { $0.key != 1 }
                try await until { try node.effects().filter { $0.key != 1 && $0.key != 0 } == others }
                // Nobody waits for it, and nothing of it has gone by.
                #expect(try await node.dead().isEmpty)
                #expect(try node.effects()[1] == Array(held[..<3]))
                try await until { try node.effects()[1]?.count == held.count - 1 }
                #expect(try node.effects()[1] == held.filter { $0 != held[3] })
                #expect(try node.effects().filter { $0.key != 1 && $0.key != 0 } == others)
                let dead = try await node.dead()
                #expect(dead.map(\.position) == [held[3]])
                #expect(dead.map(\.receiveCount) == [Int32(ConsumerNode.receiveLimit)])
            }
        }
    }

    @Test func `poison lies in the dead-letter queue with its error; redriven once mended, it is applied`() async throws
    {
        try await ConsumerNode.withDatabase { address in
            let consumer = EffectsConsumer()
            let node = try ConsumerNode(address, owner: "one", consumer)
            try await node.run {
                let before = try await node.fill(products: 1, fetches: 0)
                let poison = try #require(before[1]?.first) + 1
                consumer.set { $0.poison = [poison] }
                let id = try #require(ProductID(1))
                for _ in 0..<4 { _ = try await node.log.submit(.fetch(id), context: try QueueNode.context()) }
                try await until { try await node.dead().count == 1 }
                let letter = try #require(try await node.dead().first)
                #expect(letter.position == poison && letter.queue == "product-events.fifo")
                #expect(letter.lastError == EffectsConsumer.reason && letter.lastErrorAt != nil)
                // The sweep goes past it: what was not applied must not be taken as applied.
                try await until {
                    try node.number("select swept_through from consumers where name = 'effects'") > poison
                }

                try await Self.redrive(node)
                try await until {
                    try await node.dead().count == 1 && node.failureCount() == 2 * ConsumerNode.receiveLimit
                }
                consumer.set { $0.poison = [] }
                try await Self.redrive(node)
                try await until { try node.effects()[1]?.last == poison }
                try await until { try node.number("select count(*) from consumer_failures") == 0 }
                #expect(try await node.dead().isEmpty)
                let last = try node.number("select max(position) from events")
                try await until { try node.number("select count(*) from effects") >= last }
                try Self.expectEachOnce(node, through: last, late: poison)
            }
        }
    }

    @Test func `a session that is lost while events are applied charges nobody`() async throws {
        try await ConsumerNode.withDatabase { address in
            let consumer = EffectsConsumer()
            consumer.set { $0.losses = 12 }
            // The second receive that counts would be a dead letter.
            _ = try ConsumerNode.limitReceives(to: 1, address)
            let node = try ConsumerNode(address, owner: "one", consumer)
            try await node.run {
                _ = try await node.fill(products: 6, fetches: 10)
                let last = try node.number("select max(position) from events")
                try await until { try node.number("select count(*) from effects") >= last }
                #expect(consumer.losses == 0)
                #expect(try await node.dead().isEmpty)
                #expect(try node.number("select count(*) from consumer_failures") == 0)
                try Self.expectEachOnce(node, through: last)
            }
        }
    }

    @Test func `an outage of the whole database while events are applied charges nobody`() async throws {
        try await ConsumerNode.withDatabase { address in
            let consumer = EffectsConsumer()
            _ = try ConsumerNode.limitReceives(to: 1, address)
            let filler = try ConsumerNode(address, owner: "filler")
            try await filler.run { _ = try await filler.fill(products: 1, fetches: 4) }
            consumer.set { $0.sleeps = true }
            let node = try ConsumerNode(address, owner: "one", consumer)
            try await node.run {
                let asleep =
                    "select count(*) from pg_stat_activity where query like 'select pg_sleep(30)%' and state = 'active'"
                try await until { try ConsumerNode.number(asleep, address.superuserConnectionString) == 1 }
                let cluster = try await TestCluster.shared.running()
                let cut = "select pg_terminate_backend(pid) from pg_stat_activity where datname = '\(address.database)'"
                try cluster.run([cut], database: "postgres")
                let last = try node.number("select max(position) from events")
                try await until { try node.number("select count(*) from effects") >= last }
                #expect(try await node.dead().isEmpty)
                try Self.expectEachOnce(node, through: last)
            }
        }
    }

    /// Every event up to `last` once, each product's in order; `late` has come when its time was over.
    private static func expectEachOnce(_ node: ConsumerNode, through last: Int64, late: Int64? = nil) throws {
        let effects = try node.effects()
        #expect(effects.values.flatMap { $0 }.sorted() == Array(1...last))
        for (product, positions) in effects {
            let inTime = positions.filter { $0 != late }
            #expect(inTime == inTime.sorted(), "product \(product)")
        }
    }

    /// Moves all dead letters back to where they died.
    private static func redrive(_ node: ConsumerNode) async throws {
        let queue = try await node.directory.find("product-events-dead.fifo")
        let context = try QueueNode.context()
        let task = try await node.directory.startMove(
            from: queue,
            to: nil,
            perSecond: nil,
            reason: "mended",
            context: context
        )
        try await until {
            try await node.directory.moves(of: queue, limit: 10).contains { move in
                move.number == task.number && move.status == .completed && move.moved == 1
            }
        }
        let recorded =
            "select count(*) from events where data->>'action' = 'queue.move-started' and data->>'reason' = 'mended'"
        #expect(try node.number(recorded) >= 1)
    }
}

extension ConsumerNode {
    func failureCount() throws -> Int { Int(try number("select sum(count)::bigint from consumer_failures")) }

    static func limitReceives(to count: Int, _ address: ClusterAddress) throws -> Int64 {
        try number(
            "update queues set max_receive_count = \(count) where queue_id = 1 returning max_receive_count::bigint",
            address.ownerConnectionString
        )
    }
}
