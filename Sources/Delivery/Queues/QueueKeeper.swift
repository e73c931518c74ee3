import EventLog
import LibPQ
import Logging
import ServiceLifecycle

/// Removes what queues need no more, and sees to it that moves go on when their owner is gone.
struct QueueKeeper {
    let log: EventLog
    let host: QueueHost
    let logger: Logger

    private static let interval: Duration = .seconds(10)
    /// Rows that go in one statement.
    private static let stretch: Int32 = 5_000

    func run() async {
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            do {
                try await sweep()
                try await resumeMoves()
            } catch {
                logger.debug("queues are not swept now", metadata: ["error": "\(error)"])
            }
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.interval) }
        }
    }

    private func sweep() async throws {
        let queues = try await log.readers.withConnection { session in
            try session.query(Statements.queuesToSweep).map { row throws(PostgresError) in
                (id: try row.int16(0), isDeleted: try row.bool(1))
            }
        }
        for queue in queues {
            do { try await sweep(queue.id, isDeleted: queue.isDeleted) } catch {
                // The other queues need not wait for this one.
                logger.debug("a queue is not swept now", metadata: ["queue": "\(queue.id)", "error": "\(error)"])
            }
        }
    }

    private func sweep(_ id: Int16, isDeleted: Bool) async throws {
        while !Task.isShuttingDownGracefully {
            let parameters = Parameters().int16(id).int32(Self.stretch)
            let count = try await log.readers.withConnection { session in
                try session.query(Statements.sweepMessages, parameters).only().int64(0)
            }
            if count < Int64(Self.stretch) { break }
        }
        guard isDeleted else { return }
        _ = try await log.readers.withConnection { session in
            try session.query(Statements.forgetQueue, Parameters().int16(id)).only().int32(0)
        }
    }

    private func resumeMoves() async throws {
        let queues = try await log.readers.withConnection { session in
            try session.query(Statements.queuesThatMove).map { row throws(PostgresError) in
                QueueReference(id: try row.int16(0), name: try row.text(1))
            }
        }
        for queue in queues { host.client(for: queue)?.refresh() }
    }
}
