import Catalog
import EmbeddedPostgres
import EventLog
import LibPQ
import TestSupport
import Testing

@testable import Delivery

/// What the inbox knows across sweeps and dead letters.
@Suite(.serialized)
struct ConsumerInboxTests {
    private static let consumer = EffectsConsumer()

    private static func running(
        _ body: @Sendable (ConsumerNode, ConsumerStore) async throws -> Void
    ) async throws {
        try await ConsumerNode.withDatabase { address in
            let node = try ConsumerNode(address, owner: "one")
            try await node.run { try await body(node, try await node.store(consumer)) }
        }
    }

    /// Fills the log and returns its end.
    private static func fill(_ node: ConsumerNode, products: Int64, fetches: Int) async throws -> Int64 {
        _ = try await node.fill(products: products, fetches: fetches)
        return try node.number("select max(position) from events")
    }

    private static func sweep(_ store: ConsumerStore) async throws { try await store.sweep { false } }

    @Test func `who was paused across a sweep applies nothing again`() async throws {
        try await Self.running { node, store in
            let last = try await Self.fill(node, products: 4, fetches: 1)
            let messages = try await node.receive(Int(last))
            let positions = messages.map(\.position).sorted()
            try await store.apply(positions)
            _ = try await node.events.delete(messages.map(\.handle))
            try await Self.sweep(store)
            #expect(try node.number("select swept_through from consumers where name = 'effects'") == last)
            #expect(try node.number("select count(*) from consumer_inbox") == 0)
            try await store.apply(positions)
            #expect(try node.number("select count(*) from effects") == last)
        }
    }

    @Test func `what is still in flight is not swept`() async throws {
        try await Self.running { node, store in
            let last = try await Self.fill(node, products: 1, fetches: 5)
            let messages = try await node.receive(Int(last))
            try await store.apply(messages.map(\.position).sorted())
            _ = try await node.events.delete(messages.filter { [1, 2, 5].contains($0.position) }.map(\.handle))
            try await Self.sweep(store)
            #expect(try node.number("select swept_through from consumers where name = 'effects'") == 2)
            try await store.apply([3, 4])
            #expect(try node.number("select count(*) from effects") == last)
        }
    }

    @Test func `a dead letter below the sweep is applied once, if it was not before`() async throws {
        try await Self.running { node, store in
            #expect(try await Self.fill(node, products: 2, fetches: 0) == 3)
            // The second is applied and yet dies, as when its delete is lost every time; the third dies untried.
            let first = try await node.receive(3, visibility: .milliseconds(200))
            try await store.apply([1, 2])
            _ = try await node.events.delete(first.filter { $0.position == 1 }.map(\.handle))
            try await until {
                _ = try await node.events.receive(visibilityTimeout: .milliseconds(200), wait: .milliseconds(100))
                return try await node.dead().count == 2
            }
            let id = try #require(ProductID(1))
            _ = try await node.log.submit(.fetch(id), context: try QueueNode.context())
            let next = try await node.receive(1)
            try await store.apply(next.map(\.position))
            _ = try await node.events.delete(next.map(\.handle))
            try await Self.sweep(store)
            #expect(try node.number("select swept_through from consumers where name = 'effects'") == 4)
            #expect(try node.number("select sum(position)::bigint from consumer_unapplied") == 3)
            for _ in 0..<2 { try await store.apply([1, 2, 3, 4]) }
            try await Self.sweep(store)
            try await store.apply([1, 2, 3, 4])
            #expect(try node.effects().values.flatMap { $0 }.sorted() == [1, 2, 3, 4])
        }
    }

    @Test func `only the newest errors are kept, the last one of each event`() async throws {
        try await Self.running { node, store in
            for position in Int64(1)...4 {
                for reason in ["first", "last"] {
                    try await store.keep([.init(position: position, reason: reason)])
                }
            }
            // Nothing was delivered yet, so none of them is over.
            #expect(try node.number("select count(*) from consumer_failures where error = 'last' and count = 2") == 4)
            _ = try node.number(
                "select count(*) from (select sweep_consumer(consumer_no, 3) from consumers where name = 'effects') s"
            )
            #expect(try node.number("select count(*) from consumer_failures") == 3)
            #expect(try node.number("select min(position) from consumer_failures") == 2)
        }
    }

    @Test func `a queue has one consumer`() async throws {
        try await Self.running { node, _ in
            await #expect(throws: ConsumerError.self) {
                _ = try await ConsumerStore(ActivityConsumer(), queue: .productEvents, log: node.log)
            }
        }
    }
}
