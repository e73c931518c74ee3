package import EventLog
package import LibPQ
package import Logging
import ServiceLifecycle

/// Runs one queue's dispatcher for as long as the server does, or until it ends by itself.
package struct QueueService: Service {
    private let client: QueueClient
    private let log: EventLog
    private let settings: QueueDispatcher.Settings
    private let logger: Logger

    /// - Parameters:
    ///   - address: where this process's gateway listens, for others to forward to.
    ///   - idleLimit: after so long without a request it ends; nil: never.
    package init(
        client: QueueClient,
        log: EventLog,
        connection: ConnectionConfiguration,
        owner: String,
        address: String? = nil,
        idleLimit: Duration? = nil,
        logger: Logger
    ) {
        self.client = client
        self.log = log
        settings = QueueDispatcher.Settings(
            connection: connection,
            owner: owner,
            logSource: log.identity.source,
            metrics: log.metrics,
            address: address,
            idleLimit: idleLimit
        )
        self.logger = logger
    }

    package func run() async throws {
        let (client, settings, logger) = (client, settings, logger)
        let thread = WorkerThread(name: "rastro-queue-\(client.queue.id)") {
            QueueDispatcher(queue: client.queue, inbox: client.inbox, settings: settings, logger: logger).run()
        }
        await withGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await wakeWithTheLog() }
                await thread.finished()
                group.cancelAll()
            }
        } onGracefulShutdown: {
            client.inbox.close()
        }
    }

    /// What this process appends is delivered at once; the dispatcher's own poll finds what others append.
    private func wakeWithTheLog() async {
        var seen = log.lastKnownPosition
        while !Task.isCancelled {
            await log.waitForGrowth(beyond: seen, atMost: .seconds(1))
            guard log.lastKnownPosition > seen else { continue }
            seen = log.lastKnownPosition
            client.inbox.wake()
        }
    }
}
