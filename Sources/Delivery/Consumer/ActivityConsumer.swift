package import EventLog
import LibPQ
package import Logging
import ServiceLifecycle
import Synchronization

/// The built-in consumer: keeps `product_activity` and `user_activity` by the messages of `product-activity.fifo`.
///
/// Each event counts exactly once, however often it is delivered: its position goes into an inbox in the transaction
/// that counts it, and its message is deleted only after that.
package struct ActivityConsumer: Service {
    private let queue: QueueClient
    private let log: EventLog
    private let logger: Logger
    private let meter: ConsumerMeter
    /// Receives that are under way at once; each brings up to ten messages, and all are applied together.
    private static let receives = 20
    private static let wait: Duration = .seconds(1)
    private static let pauseAfterFailure: Duration = .milliseconds(500)
    private static let sweepInterval: Duration = .seconds(30)

    package init(queue: QueueClient, log: EventLog, logger: Logger) {
        self.queue = queue
        self.log = log
        self.logger = logger
        meter = ConsumerMeter(log.metrics, queue.queue, consumer: "activity")
    }

    /// Consumes until graceful shutdown; what was received by then is still applied and deleted.
    package func run() async throws {
        let isEnding = Atomic(false)
        await withGracefulShutdownHandler {
            var swept = ContinuousClock.now
            while !isEnding.load(ordering: .relaxed), !Task.isCancelled {
                do {
                    try await consume()
                    if ContinuousClock.now - swept > Self.sweepInterval {
                        swept = .now
                        try await sweep()
                    }
                } catch QueueError.shuttingDown {
                    return
                } catch {
                    if error as? QueueError != .notOwner {
                        logger.notice("the consumer pauses", metadata: ["error": "\(error)"])
                    }
                    try? await Task.sleep(for: Self.pauseAfterFailure)
                }
            }
        } onGracefulShutdown: {
            isEnding.store(true, ordering: .relaxed)
        }
    }

    /// Receives what there is, applies it in one transaction, deletes it.
    private func consume() async throws {
        var messages = try await queue.receive(wait: Self.wait)
        guard !messages.isEmpty else { return }
        messages += try await withThrowingTaskGroup(of: [QueueMessage].self) { group in
            for _ in 1..<Self.receives { group.addTask { try await queue.receive() } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        // A replay repairs nobody's counts: the first delivery counted, or will.
        let positions = messages.filter { !$0.isReplay }.map(\.position)
        try await meter.count(messages.count) {
            _ = try await log.readers.withConnection { session in
                try session.query(Statements.applyActivity, Parameters().int64Array(positions)).only().int32(0)
            }
            _ = try await queue.delete(messages.map(\.handle))
        }
    }

    private func sweep() async throws {
        let number = queue.queue.id
        _ = try await log.readers.withConnection { session in
            try session.query(Statements.sweepInbox, Parameters().int16(number)).affectedRows
        }
    }
}
