import Catalog
package import LibPQ
package import Logging
package import Monitoring
import ServiceLifecycle

/// The log of one process: hands submissions to the committer and tells readers when the log has grown.
///
/// Run it as a service; it stops accepting on graceful shutdown, commits what waits, then returns.
package final class EventLog: Service {
    package let identity: LogIdentity
    /// For readers: short statements that never lock the head.
    package let readers: Pool
    /// What this process counts.
    package let metrics = Metrics()
    private let queue: CommitQueue
    private let configuration: CommitterConfiguration
    private let logger: Logger
    private let growth: LogGrowth

    package init(
        identity: LogIdentity,
        committer configuration: CommitterConfiguration,
        readers: Pool,
        logger: Logger
    ) {
        self.identity = identity
        self.readers = readers
        self.configuration = configuration
        self.logger = logger
        queue = CommitQueue(limit: configuration.queueLimit)
        growth = LogGrowth()
    }

    /// Commits what a caller asks for; returns after the commit.
    ///
    /// - Throws: `CommitError`; after any but `.outcomeUnknown` nothing was done. Cancellation is not looked at: what
    ///   was queued is committed and answered.
    package func submit(_ work: Work, context: RequestContext) async throws(CommitError) -> Outcome {
        let deadline = ContinuousClock.now + configuration.patience
        let result: Result<Outcome, CommitError> = await withUnsafeContinuation { continuation in
            queue.add(PendingCommit(context: context, work: work, deadline: deadline, continuation: continuation))
        }
        return try result.get()
    }

    /// How many events wait for their batch.
    package var queueDepth: Int { queue.depth }

    /// The last position this process committed or was told of; a hint, the log itself is the truth.
    package var lastKnownPosition: Int64 { growth.position }

    /// Waits until the log may have grown beyond `position` in this process, or the time is up.
    package func waitForGrowth(beyond position: Int64, atMost duration: Duration) async {
        await growth.wait(beyond: position, atMost: duration)
    }

    /// Answers those who wait longer than they should while the committer's thread is blocked by the database.
    private static func expire(_ queue: CommitQueue) async {
        while !Task.isCancelled {
            for pending in queue.takeExpired(at: .now) { pending.answer(.failure(.unavailable)) }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Runs committer and maintenance until graceful shutdown.
    package func run() async throws {
        let (queue, growth) = (queue, growth)
        let (configuration, logger) = (configuration, logger)
        let (batches, events) = (metrics.counter(.logBatches), metrics.counter(.logEvents))
        let keeper = LogKeeper(log: self, logger: logger)
        let thread = WorkerThread(name: "rastro-commit") {
            let committer = Committer(queue: queue, configuration: configuration, logger: logger) { batch, position in
                batches.add()
                events.add(batch.eventCount)
                growth.advance(to: position)
            }
            committer.run()
        }
        await withGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await keeper.run() }
                group.addTask { await Self.expire(queue) }
                await thread.finished()
                group.cancelAll()
            }
        } onGracefulShutdown: {
            queue.close()
        }
    }
}
