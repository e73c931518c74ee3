package import EventLog
package import Logging
import ServiceLifecycle

/// Runs a consumer on its queue, in the process that owns it; in any other it stands by.
///
/// Several workers receive, apply and delete side by side. What one batch could not apply is found out message by message:
/// the others are applied and deleted, the one that fails comes again after a while, its error kept, until the queue
/// moves it to the dead letters; of its product nothing later is applied before. What was not tried does not count as
/// received. While the database is away nothing is charged to anybody; the workers pause.
package struct ConsumerService: Service {
    package struct Settings: Sendable {
        /// Each uses a connection of the log's readers while it applies.
        package var workers = 2
        /// Receives that a worker has under way at once; each brings up to ten messages, and all are applied together.
        package var receives = 20
        /// How long an empty queue is waited on.
        package var wait: Duration = .seconds(1)
        /// How long a worker has its messages for itself.
        package var visibility: Duration = .seconds(30)
        /// So long before that is over it begins nothing any more: longer than a transaction takes.
        package var margin: Duration = .seconds(10)
        package var pause: Duration = .milliseconds(500)
        package var sweepInterval: Duration = .seconds(30)
        var retry = RetryDelay()

        package init() {}
    }

    private let consumer: any Consumer
    private let queue: QueueClient
    private let log: EventLog
    private let settings: Settings
    private let logger: Logger

    /// - Parameter queue: a queue over the log that no other consumer has.
    package init(
        _ consumer: any Consumer,
        queue: QueueClient,
        log: EventLog,
        settings: Settings = Settings(),
        logger: Logger
    ) {
        self.consumer = consumer
        self.queue = queue
        self.log = log
        self.settings = settings
        var logger = logger
        logger[metadataKey: "consumer"] = "\(consumer.name)"
        self.logger = logger
    }

    package func run() async throws {
        guard let store = await open() else { return }
        let ledger = ConsumerLedger()
        let meter = ConsumerMeter(log.metrics, queue.queue, consumer: consumer.name)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<settings.workers {
                let worker = ConsumerWorker(
                    queue: queue,
                    store: store,
                    ledger: ledger,
                    settings: settings,
                    meter: meter,
                    logger: logger
                )
                group.addTask { await worker.run() }
            }
            group.addTask { await sweep(store) }
        }
    }

    /// Nil at shutdown.
    private func open() async -> ConsumerStore? {
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            do {
                return try await ConsumerStore(consumer, queue: queue.queue, log: log)
            } catch {
                let reason = (error as? ConsumerError)?.reason ?? "\(error)"
                logger.warning("the consumer cannot begin yet", metadata: ["error": "\(reason)"])
                await pause(for: settings.pause)
            }
        }
        return nil
    }

    private func sweep(_ store: ConsumerStore) async {
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            await pause(for: settings.sweepInterval)
            guard queue.isOwner else { continue }
            do {
                try await store.sweep { Task.isShuttingDownGracefully }
            } catch {
                logger.debug("the inbox is not swept now", metadata: ["error": "\(error)"])
            }
        }
    }

    private func pause(for duration: Duration) async {
        try? await cancelWhenGracefulShutdown { try await Task.sleep(for: duration) }
    }
}
