import Catalog
import LibPQ
import Logging

/// Keeps the log going beside the committer: partitions ahead, old batch marks swept, products
/// whose time is over ended, the clock watched.
struct LogKeeper: Sendable {
    let log: EventLog
    let logger: Logger
    /// How many partitions stand ready beyond the one in use.
    private static let partitionsAhead: Int32 = 2
    /// How long a product may outlive its `expiresAt`.
    private static let interval: Duration = .seconds(1)
    /// Products that are ended at a time.
    private static let expiryLimit: Int32 = 500

    /// Works every second, and at once when the log has entered another partition; ends on cancellation.
    func run() async {
        var clockReported: ContinuousClock.Instant?
        while !Task.isCancelled {
            do {
                try await keep(clockReported: &clockReported)
            } catch  where Task.isCancelled {
                return
            } catch {
                logger.warning("keeping the log failed, trying again", metadata: ["error": "\(error)"])
            }
            let size = log.identity.partitionSize
            let next = (log.lastKnownPosition / size + 1) * size
            await log.waitForGrowth(beyond: next, atMost: Self.interval)
        }
    }

    private func keep(clockReported: inout ContinuousClock.Instant?) async throws {
        let ahead = Self.partitionsAhead
        let drift = try await log.readers.withConnection { session -> Int64 in
            _ = try session.query(Statements.ensurePartitions, Parameters().int32(ahead))
            _ = try session.query(Statements.sweepBatches)
            let end = try session.query(Statements.logEnd)
            return try end.isEmpty ? 0 : end[0].timestamp(1) - end[0].timestamp(2)
        }
        try await endExpired()
        let now = ContinuousClock.now
        if drift > 1_000_000, clockReported.map({ now - $0 > .seconds(60) }) ?? true {
            clockReported = now
            logger.warning("the clock stepped back; the log's time creeps on", metadata: ["microseconds": "\(drift)"])
            try await reportClock(drift)
        }
    }

    /// Any process may try; the log decides, so each product is ended once.
    private func endExpired() async throws {
        while true {
            let due = try await log.readers.withConnection { session in
                try session.query(Statements.expiredProducts, Parameters().int32(Self.expiryLimit))
                    .map { try $0.int64(0) }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for id in due.compactMap(ProductID.init) {
                    group.addTask { _ = try await log.submit(.command(.expire(id)), context: .system(.expiry)) }
                }
                try await group.waitForAll()
            }
            if due.count < Int(Self.expiryLimit) { return }
        }
    }

    /// The log's time only creeps on while the clock is behind it; an event says so.
    private func reportClock(_ drift: Int64) async throws {
        let data = Array(#"{"action":"clock.stepped","behindMicroseconds":\#(drift)}"#.utf8)
        _ = try await log.submit(.note(Note(type: .operated, data: data)), context: .system(.clock))
    }
}
