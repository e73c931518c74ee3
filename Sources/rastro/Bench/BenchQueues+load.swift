import Delivery
import EventLog
import LibPQ

/// What runs beside the measurements.
extension BenchQueues {
    static func keepTaking(_ queue: QueueEndpoint, counting count: BenchCounter) async {
        while !Task.isCancelled {
            let messages = try? await queue.receive(max: 10, visibilityTimeout: nil, wait: .milliseconds(200))
            guard let messages, !messages.isEmpty else { continue }
            _ = try? await queue.delete(messages.map(\.receiptHandle))
            count.add(messages.count)
        }
    }

    static func keepTurning(_ queue: QueueEndpoint, counting count: BenchCounter) async {
        let messages = (0..<10).map { _ in NewMessage(body: String(repeating: "x", count: 200), sender: 1) }
        while !Task.isCancelled {
            _ = try? await queue.send(messages)
            let received = try? await queue.receive(max: 10, visibilityTimeout: nil, wait: .milliseconds(200))
            guard let received, !received.isEmpty else { continue }
            _ = try? await queue.delete(received.map(\.receiptHandle))
            count.add(received.count)
        }
    }

    /// Runs `body` while `work` goes on, which is cancelled after it.
    func during<Value: Sendable>(
        _ work: @escaping @Sendable () async -> Void,
        run body: @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await work() }
            defer { group.cancelAll() }
            return try await body()
        }
    }

    func whileASnapshotIsHeld<Value>(_ body: () async throws -> Value) async throws -> Value {
        let session = try access.ownerSession()
        defer { session.close() }
        try session.execute("begin isolation level repeatable read")
        try session.execute("select count(*) from queues")
        let value = try await body()
        try session.execute("rollback")
        return value
    }

    /// Fetches of product 1, straight into the log.
    func fillOneProduct(_ access: EventLogAccess) throws {
        let session = try access.ownerSession()
        defer { session.close() }
        try session.execute("insert into users (user_id, key, actor) values ('bench', sha256('k'), sha256('a'))")
        try session.execute(
            """
            insert into events (position, product_id, recorded_at, user_no, version, type, auth, via, schema, request_id)
            select p, 1, timestamptz '2026-01-01Z' + p * interval '1 millisecond', 1, 1, 5, 1, 2, 1, md5(p::text)::uuid
            from generate_series(1, \(Self.bigBacklog)) p
            """
        )
        try session.execute("analyze events")
    }
}
