import Delivery
import EmbeddedPostgres
import EventLog
import LibPQ
import Logging
import ServiceLifecycle
import TestSupport
import Testing

/// The tables that deliveries go through do not grow with what has gone through.
@Suite(.serialized)
struct QueueTablesTests {
    /// The dead rows from which on a table is vacuumed here.
    private static let threshold: Int64 = 200
    private static let tables = "'queue_leases', 'queue_pending', 'queue_messages', 'queue_deduplication'"

    @Test(arguments: [true, false])
    func `with autovacuum off the tables stay as large as they were, whatever goes through`(isFIFO: Bool) async throws {
        try await QueueNode.withDatabase { address in
            try Self.asOwner(address, Self.leaveAlone)
            let node = try QueueNode(address, owner: "one")
            let vacuum = TableVacuum(
                connection: QueueNode.connection(address.ownerConnectionString),
                interval: .milliseconds(20),
                logger: QueueNode.logger
            )
            try await node.run(beside: vacuum) {
                let queue = try await node.make(isFIFO ? "own.fifo" : "own", isFIFO: isFIFO)
                // PostgreSQL tells of dead rows a second later: by then some rounds have gone through.
                for round in 0..<20 { try await Self.passThrough(queue, round: round, isFIFO: isFIFO, address) }
                let size = try Self.asOwner(address, Self.size)
                for round in 20..<40 { try await Self.passThrough(queue, round: round, isFIFO: isFIFO, address) }
                let later = try Self.asOwner(address, Self.size)
                // The bodies alone that went through are more than twice this; what is remembered against duplicates stays for five
                // minutes, by design: a row a message.
                let allowed: Int64 = 20 * 300 * (isFIFO ? 800 : 400)
                #expect(later - size < allowed, "\(size) became \(later) bytes")
            }
        }
    }

    /// Sends, receives and deletes 300 messages of 1,000 bytes, then waits until no table has many dead rows.
    private static func passThrough(
        _ queue: QueueEndpoint,
        round: Int,
        isFIFO: Bool,
        _ address: ClusterAddress
    ) async throws {
        for batch in 0..<30 {
            let messages = (0..<10).map { place in
                let name = "\(round)-\(batch)-\(place)"
                return NewMessage(
                    body: name + String(repeating: "x", count: 1_000),
                    groupID: isFIFO ? "g\(place)" : nil,
                    deduplicationID: isFIFO ? name : nil,
                    sender: 1
                )
            }
            _ = try await queue.send(messages)
            var missing = messages.count
            while missing > 0 {
                let received = try await queue.receive(wait: .seconds(5))
                try #require(!received.isEmpty)
                _ = try await queue.delete(received.map(\.receiptHandle))
                missing -= received.count
            }
        }
        let dead = Statement(
            name: "dead",
            text: "select max(pg_stat_get_dead_tuples(c.oid)) from pg_class c where c.relname in (\(tables))"
        )
        let deadline = ContinuousClock.now + .seconds(20)
        while try asOwner(address, { try $0.query(dead)[0].int64(0) }) >= threshold {
            try #require(ContinuousClock.now < deadline, "dead rows stay")
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private static func asOwner<Result>(_ address: ClusterAddress, _ body: (Session) throws -> Result) throws -> Result
    {
        let session = try Session.open(QueueNode.connection(address.ownerConnectionString))
        defer { session.close() }
        return try body(session)
    }

    /// Nobody but the vacuum under test is to touch the tables, and it soon.
    private static func leaveAlone(_ owner: Session) throws {
        for table in ["queue_leases", "queue_pending", "queue_messages", "queue_deduplication"] {
            try owner.execute(
                "alter table \(table) set (autovacuum_enabled = off, autovacuum_vacuum_threshold = \(threshold))"
            )
        }
    }

    private static func size(_ owner: Session) throws -> Int64 {
        let size = Statement(
            name: "size",
            text: """
                select sum(pg_total_relation_size(c.oid))::bigint from pg_class c
                where c.relnamespace = current_schema()::regnamespace and c.relname in (\(tables))
                """
        )
        return try owner.query(size)[0].int64(0)
    }
}
