import Catalog
import Delivery
import EventLog
import Gateway
import LibPQ
import Logging
import ServiceLifecycle

/// The server's parts, put together: the log first, the gateway last, so that shutdown runs the other way.
struct Server {
    let services: [any Service]
    private let log: EventLog

    /// - Parameter onListening: told `http://HOST:PORT` once connections are accepted.
    init(
        access: EventLogAccess,
        gateway configuration: GatewayConfiguration,
        logger: Logger,
        onListening: @escaping @Sendable (String) -> Void
    ) throws {
        let log = try access.open(readers: 4)
        let keys = KeyStore(pool: log.readers, logger: logger)
        let gateway = buildApplication(
            GatewayServices(eventLog: log, keys: keys, logger: logger),
            configuration: configuration,
            onListening: { host, port in
                await Self.recordStart(log, logger: logger)
                onListening("http://\(host.contains(":") ? "[\(host)]" : host):\(port)")
            },
            logger: logger
        )
        let activity = QueueClient(.productActivity)
        let owner = UUIDv7().description
        let queues = [activity, QueueClient(.productEvents)].map { client in
            QueueService(
                client: client,
                log: log,
                connection: access.dispatcherConnection,
                owner: owner,
                logger: logger
            )
        }
        let consumer = ActivityConsumer(queue: activity, log: log, logger: logger)
        self.log = log
        services = [log] + queues + [consumer, gateway]
    }

    /// Ends what the services leave open.
    func close() async { await log.readers.shutdown() }

    private static func recordStart(_ log: EventLog, logger: Logger) async {
        let data = OperationData(action: "server.started").bytes
        do {
            _ = try await log.submit(.note(Note(type: .operated, data: data)), context: .system(.server))
        } catch {
            logger.warning("the server's start could not be recorded", metadata: ["error": "\(error)"])
        }
    }
}
