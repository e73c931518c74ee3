import Catalog
import EventLog
import LibPQ
import Testing

@testable import Delivery

/// What may be moved where: nobody gets a message of his own among the log's events.
@Suite(.serialized)
struct QueueMoveTests {
    /// Makes a queue with one message of an application's, and another that dies into it, so that it may be moved out of.
    private static func makeForged(_ node: QueueNode) async throws -> QueueEndpoint {
        let mine = try await node.make("mine.fifo")
        _ = try await node.make("source.fifo") {
            $0.deadLetterQueue = "mine.fifo"
            $0.maxReceiveCount = 1
        }
        try await mine.send([#"{"forged":true}"#], group: "5")
        return mine
    }

    @Test(arguments: [
        "product-events.fifo", "product-activity.fifo", "product-events-dead.fifo", "product-activity-dead.fifo",
        "mirror.fifo",
    ])
    func `a move to a queue of events or to one of Rastro's own does not begin`(target: String) async throws {
        try await QueueNode.running { node, _ in
            let mine = try await Self.makeForged(node)
            _ = try await node.make("mirror.fifo") { $0.events = EventSelection() }
            await #expect(throws: QueueDirectoryError.self) {
                _ = try await node.directory.startMove(
                    from: mine.queue,
                    to: target,
                    perSecond: nil,
                    context: try QueueNode.context()
                )
            }
        }
    }

    @Test func `a move that would forge an event fails, moves nothing, and leaves the queue at work`() async throws {
        try await QueueNode.running { node, address in
            let mine = try await Self.makeForged(node)
            try QueueNode.sql(
                address,
                """
                insert into queue_moves (queue_id, target, total, started_at)
                values (\(mine.queue.id), 'product-events.fifo', 1, clock_timestamp())
                """
            )
            let deadline = ContinuousClock.now + .seconds(15)
            var moves = try await node.directory.moves(of: mine.queue, limit: 1)
            while moves.first?.status == .running, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(50))
                moves = try await node.directory.moves(of: mine.queue, limit: 1)
            }
            #expect(moves.first?.status == .failed && moves.first?.moved == 0)
            #expect(try QueueNode.sql(address, "select count(*) from queue_messages where queue_id = 1") == 0)
            var left: [ReceivedMessage] = []
            while left.isEmpty, ContinuousClock.now < deadline {
                left = (try? await node.endpoint("mine.fifo").receive(wait: .seconds(1))) ?? []
            }
            #expect(left.map(\.body) == [#"{"forged":true}"#])
        }
    }

    @Test func `an event goes back to no other queue of events than the one in which it died`() async throws {
        try await QueueNode.running { node, address in
            _ = try await node.make("mirror.fifo") { $0.events = EventSelection() }
            try QueueNode.sql(
                address,
                """
                insert into queue_messages (queue_id, seq, grp, message_id, event_position, sent_at, arrived_at, dead_in)
                values (3, 7, 0, gen_random_uuid(), 1, now(), now(), 'product-events.fifo')
                """
            )
            for target in ["mirror.fifo", "product-activity.fifo", "product-activity-dead.fifo"] {
                #expect(throws: PostgresError.self) {
                    try QueueNode.sql(address, "select move_messages(3::smallint, '{7}', '\(target)')")
                }
            }
            #expect(try QueueNode.sql(address, "select move_messages(3::smallint, '{7}', 'product-events.fifo')") == 1)
        }
    }

    @Test func `a queue over the log is nothing to move messages out of`() async throws {
        try await QueueNode.running { node, address in
            _ = try await node.make("other.fifo")
            let mirror = try await node.make("mirror.fifo") { $0.events = EventSelection() }
            await #expect(throws: QueueDirectoryError.self) {
                _ = try await node.directory.startMove(
                    from: mirror.queue,
                    to: "other.fifo",
                    perSecond: nil,
                    context: try QueueNode.context()
                )
            }
            #expect(try QueueNode.sql(address, "select count(*) from queue_moves") == 0)
        }
    }

    @Test func `no queue but Rastro's own buries its messages in Rastro's own dead-letter queues`() async throws {
        try await QueueNode.running { node, address in
            await #expect(throws: QueueDirectoryError.self) {
                _ = try await node.make("orders.fifo") {
                    $0.deadLetterQueue = "product-events-dead.fifo"
                    $0.maxReceiveCount = 1
                }
            }
            let queue = try await node.make("orders.fifo")
            try QueueNode.sql(
                address,
                """
                update queues set dead_letter_queue = 'product-events-dead.fifo', max_receive_count = 1
                where name = 'orders.fifo'
                """
            )
            try await queue.send(["a"])
            let deadline = ContinuousClock.now + .seconds(15)
            var count = 0
            while count < 20, ContinuousClock.now < deadline {
                count += (try? await node.endpoint("orders.fifo").receive(seconds: 0, wait: .seconds(1)).count) ?? 0
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(count == 20)
            #expect(try QueueNode.sql(address, "select count(*) from queue_messages where queue_id = 3") == 0)
        }
    }
}
