import Delivery
import EventLog
import LibPQ
import Logging
import Monitoring
import ServiceLifecycle

/// Puts together what `GET /metrics` shows: what this process has counted, and what the database and the queues' owners
/// here know, read when somebody asks and at most once a second.
///
/// Run it as a service.
package final class MetricsScrape: Service {
    private let log: EventLog
    private let database: SharedReading<DeliveryLevels>
    private let queues: SharedReading<[QueueLevel]>

    /// - Parameter directory: nil: this gateway serves no queues.
    init(log: EventLog, directory: QueueDirectory?, logger: Logger) {
        self.log = log
        database = SharedReading {
            do { return try await log.readers.withConnection { try DeliveryLevels.read($0) } } catch {
                logger.debug("metrics lack what the database knows", metadata: ["error": "\(error)"])
                return nil
            }
        }
        queues = SharedReading { await directory?.levels() ?? [] }
    }

    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.database.run() }
            group.addTask { await self.queues.run() }
        }
    }

    /// Answers within about two seconds, whatever the database does.
    func exposition() async -> Exposition {
        async let readLevels = database.value()
        async let readQueues = queues.value()
        let (levels, owned) = (await readLevels, await readQueues ?? [])
        var exposition = Exposition()
        log.metrics.collect(into: &exposition)
        exposition.add(.databaseUp, [], levels != nil)
        exposition.add(.logPosition, [], max(log.lastKnownPosition, levels?.logEnd ?? 0))
        exposition.add(.logWaiting, [], log.queueDepth)
        levels?.add(to: &exposition, owned: owned)
        for queue in owned { queue.add(to: &exposition) }
        return exposition
    }
}
