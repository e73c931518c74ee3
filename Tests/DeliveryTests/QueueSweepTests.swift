import Catalog
import EmbeddedPostgres
import EventLog
import LibPQ
import Synchronization
import Testing

@testable import Delivery

/// What sweeping takes away, and what it must leave.
@Suite(.serialized)
struct QueueSweepTests {
    private static let queue = "100::smallint"

    private static func makeQueue(_ address: ClusterAddress) throws {
        try QueueNode.sql(
            address,
            "insert into queues (queue_id, name) values (100, 'orders.fifo') returning queue_id::bigint"
        )
    }

    private static let send = Statement(
        name: "send",
        text: """
            select is_duplicate::integer::bigint from send_messages(\(queue), false, array[gen_random_uuid()],
                array[1::bigint], array['g'], array['a'], array['body'], array[null::bytea], array[0::bigint], array[1])
            """
    )

    @Test func `what is sent again while its old id is swept stays known as sent`() async throws {
        try await QueueNode.withDatabase { address in
            try Self.makeQueue(address)
            let sender = try Session.open(QueueNode.connection(address.ownerConnectionString))
            defer { sender.close() }
            #expect(try sender.query(Self.send)[0].int64(0) == 0)
            try sender.execute("update queue_deduplication set sent_at = sent_at - interval '6 minutes'")
            try sender.begin()
            #expect(try sender.query(Self.send)[0].int64(0) == 0)
            let isSwept = Atomic(false)
            let hasFailed = Atomic(false)
            let sweeper = WorkerThread(name: "sweeper") {
                do { try Self.sweepPatiently(address) } catch { hasFailed.store(true, ordering: .relaxed) }
                isSwept.store(true, ordering: .sequentiallyConsistent)
            }
            let blocked = """
                select count(*) from pg_locks join pg_stat_activity using (pid)
                where datname = current_database() and not granted
                """
            while !isSwept.load(ordering: .sequentiallyConsistent), try QueueNode.sql(address, blocked) == 0 {
                try await Task.sleep(for: .milliseconds(5))
            }
            try sender.commit()
            await sweeper.finished()
            let failed = hasFailed.load(ordering: .relaxed)
            #expect(!failed)
            #expect(try sender.query(Self.send)[0].int64(0) == 1)
        }
    }

    private static func sweepPatiently(_ address: ClusterAddress) throws {
        let session = try Session.open(QueueNode.connection(address.ownerConnectionString))
        defer { session.close() }
        try session.execute("set lock_timeout = 0; select sweep_messages(\(queue), 100)")
    }

    @Test func `an old id is forgotten, a new one is not`() async throws {
        try await QueueNode.withDatabase { address in
            try Self.makeQueue(address)
            let session = try Session.open(QueueNode.connection(address.ownerConnectionString))
            defer { session.close() }
            _ = try session.query(Self.send)
            try session.execute(
                """
                insert into queue_deduplication select 100, 0, 'old', 1, gen_random_uuid(), now() - interval '6 minutes'
                """
            )
            try QueueNode.sql(address, "select sweep_messages(\(Self.queue), 100)")
            #expect(try QueueNode.sql(address, "select count(*) from queue_deduplication") == 1)
            #expect(try session.query(Self.send)[0].int64(0) == 1)
        }
    }

    @Test func `an id that a clock gone astray left in the future is no duplicate`() async throws {
        try await QueueNode.withDatabase { address in
            try Self.makeQueue(address)
            let session = try Session.open(QueueNode.connection(address.ownerConnectionString))
            defer { session.close() }
            _ = try session.query(Self.send)
            try session.execute("update queue_deduplication set sent_at = now() + interval '1 hour'")
            #expect(try session.query(Self.send)[0].int64(0) == 0)
        }
    }

    @Test func `a purge forgets what was sent without touching it row by row`() async throws {
        try await QueueNode.withDatabase { address in
            try Self.makeQueue(address)
            let session = try Session.open(QueueNode.connection(address.ownerConnectionString))
            defer { session.close() }
            _ = try session.query(Self.send)
            try session.execute("select purge_queue(\(Self.queue))")
            #expect(try QueueNode.sql(address, "select count(*) from queue_deduplication") == 1)
            #expect(try session.query(Self.send)[0].int64(0) == 0)
            #expect(try session.query(Self.send)[0].int64(0) == 1)
        }
    }

    @Test func `retention takes a queue's newest message too`() async throws {
        try await QueueNode.withDatabase { address in
            try Self.makeQueue(address)
            let session = try Session.open(QueueNode.connection(address.ownerConnectionString))
            defer { session.close() }
            _ = try session.query(Self.send)
            try session.execute("update queue_messages set arrived_at = now() - interval '30 days'")
            try QueueNode.sql(address, "select sweep_messages(\(Self.queue), 100)")
            #expect(try QueueNode.sql(address, "select count(*) from queue_messages where body = 'body'") == 0)
            let node = try QueueNode(address, owner: "one")
            try await node.run {
                let queue = try await node.endpoint("orders.fifo")
                #expect(try await queue.receive(wait: .milliseconds(300)).isEmpty)
                #expect(try await queue.send(["next"])[0].sequenceNumber.hasSuffix("02"))
                #expect(try await queue.receive(wait: .seconds(5)).map(\.body) == ["next"])
            }
        }
    }

    @Test func `of a message that was deleted nothing is left to read, also when it was the last`() async throws {
        try await QueueNode.running { node, address in
            let queue = try await node.make("orders.fifo")
            try await queue.send(["secret"])
            #expect(try await queue.drain().map(\.body) == ["secret"])
            #expect(try QueueNode.sql(address, "select count(*) from queue_messages where body = 'secret'") == 0)
            #expect(try await queue.counts() == QueueCounts(visible: 0, inFlight: 0, delayed: 0))
            #expect(try await queue.send(["next"])[0].sequenceNumber.hasSuffix("02"))
        }
    }

    @Test func `a dead-letter queue whose only message was moved away holds none`() async throws {
        try await QueueNode.running { node, address in
            let dead = try await node.make("dead.fifo")
            let queue = try await node.make("orders.fifo") {
                $0.deadLetterQueue = "dead.fifo"
                $0.maxReceiveCount = 1
            }
            try await queue.send(["poison"])
            _ = try await queue.receive(1, seconds: 0)
            _ = try await queue.receive(1, seconds: 0)
            _ = try await node.directory.startMove(
                from: dead.queue,
                to: nil,
                perSecond: nil,
                context: try QueueNode.context()
            )
            #expect(try await queue.receive(1, wait: .seconds(10)).map(\.body) == ["poison"])
            let session = try Session.open(QueueNode.connection(address.ownerConnectionString))
            defer { session.close() }
            let depths = try QueueDepth.read(session)
            #expect(depths.first { $0.name == "orders.fifo" }?.dead == 0)
            #expect(try DeadLetter.read(session, limit: 10).isEmpty)
        }
    }
}
