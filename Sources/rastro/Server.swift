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
        roles: Set<ServerRole>,
        secret: ServerSecret? = nil,
        webhookNetworks: [AddressBlock] = [],
        gateway configuration: GatewayConfiguration,
        logger: Logger,
        onListening: @escaping @Sendable (String) -> Void
    ) throws {
        let log = try access.open(readers: roles.contains(.consumer) ? 6 : 4)
        self.log = log
        let start = StartRecord(
            log: log,
            configuration: Self.text(of: configuration, roles: roles, log: log),
            logger: logger
        )
        let vacuum = TableVacuum(connection: access.vacuumConnection, logger: logger)
        var services: [any Service] = [log, vacuum, start]
        var host: QueueHost?
        if roles.contains(.relay) {
            let address = roles.contains(.gateway) ? configuration.advertisedAddress : nil
            let delivery = Self.delivery(
                access,
                log: log,
                roles: roles,
                address: address,
                webhooks: WebhookPolicy(secret: secret, networks: webhookNetworks),
                logger: logger
            )
            services += delivery.services
            host = delivery.host
        }
        if roles.contains(.gateway) {
            let keys = KeyStore(pool: log.readers, secret: secret, logger: logger)
            let queues = QueueDirectory(log: log, host: host, logger: logger)
            services.append(
                buildApplication(
                    GatewayServices(
                        eventLog: log,
                        keys: keys,
                        secret: secret,
                        queues: queues,
                        // A process that only serves HTTP is ready whoever owns the queues.
                        readiness: [.schema(log)] + (roles.contains(.relay) ? [.queues(log)] : []),
                        logger: logger
                    ),
                    configuration: configuration,
                    onListening: { host, port in
                        onListening("http://\(host.contains(":") ? "[\(host)]" : host):\(port)")
                    },
                    logger: logger
                )
            )
        }
        self.services = services
    }

    /// Ends what the services leave open.
    func close() async { await log.readers.shutdown() }

    /// What leaves the log: destinations, queues, and what the built-in consumer counts.
    private static func delivery(
        _ access: EventLogAccess,
        log: EventLog,
        roles: Set<ServerRole>,
        address: String?,
        webhooks: WebhookPolicy,
        logger: Logger
    ) -> (services: [any Service], host: QueueHost) {
        let (connection, owner) = (access.dispatcherConnection, UUIDv7().description)
        var queues = QueueHost.Configuration(connection: connection, owner: owner)
        queues.address = address
        let activity = QueueClient(.productActivity)
        let host = QueueHost(
            log: log,
            permanent: [activity, QueueClient(.productEvents)],
            configuration: queues,
            logger: logger
        )
        let relays = RelaySupervisor(
            log: log,
            connection: connection,
            owner: owner,
            webhooks: webhooks,
            logger: logger
        )
        let consumers =
            roles.contains(.consumer)
            ? [ConsumerService(ActivityConsumer(), queue: activity, log: log, logger: logger)] : []
        return ([relays, host] + consumers, host)
    }

    /// Every setting that changes what the server does, in a fixed order: its hash stands in the start's event.
    private static func text(of configuration: GatewayConfiguration, roles: Set<ServerRole>, log: EventLog) -> String {
        [
            "roles=\(roles.map(\.rawValue).sorted().joined(separator: ","))",
            "host=\(configuration.host)",
            "port=\(configuration.port)",
            "bodyLimitBytes=\(configuration.bodyLimitBytes)",
            "headerLimitBytes=\(configuration.headerLimitBytes)",
            "requestTimeout=\(configuration.requestTimeout)",
            "waitingRequestsLimit=\(configuration.waitingRequestsLimit)",
            "connectionLimit=\(configuration.connectionLimit)",
            "queueBodyLimitBytes=\(configuration.queueBodyLimitBytes)",
            "queueShortBodyLimitBytes=\(configuration.queueShortBodyLimitBytes)",
            "queueBodiesLimitBytes=\(configuration.queueBodiesLimitBytes)",
            "waitingPollsLimit=\(configuration.waitingPollsLimit)",
            "requireIfMatch=\(configuration.requireIfMatch)",
            "origin=\(log.identity.origin)",
            "partitionSize=\(log.identity.partitionSize)",
        ].joined(separator: "\n")
    }
}

/// Records that the server started, once the log takes events, then waits for its end.
private struct StartRecord: Service {
    let log: EventLog
    let configuration: String
    let logger: Logger

    func run() async throws {
        var data = OperationData(action: "server.started")
        data.add("configuration", OperationData.digest(configuration))
        do {
            _ = try await log.submit(.note(Note(type: .operated, data: data.bytes)), context: .system(.server))
        } catch {
            logger.warning("the server's start could not be recorded", metadata: ["error": "\(error)"])
        }
        try await gracefulShutdown()
    }
}
