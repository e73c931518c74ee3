package import EventLog
package import LibPQ
package import Logging
import ServiceLifecycle

/// Runs a relay for each destination there is, and starts and stops them as destinations are added and removed.
package struct RelaySupervisor: Service {
    private let log: EventLog
    private let connection: ConnectionConfiguration
    private let logger: Logger
    private let settings: DestinationRelay.Settings
    private let open: DestinationOpener
    /// How often destinations are looked for.
    private static let interval: Duration = .seconds(1)
    /// Connections that all relays of this process share.
    private static let connectionLimit = 3

    /// - Parameter owner: names this process among the owners.
    package init(
        log: EventLog,
        connection: ConnectionConfiguration,
        owner: String,
        webhooks: WebhookPolicy,
        logger: Logger
    ) {
        self.init(
            log: log,
            connection: connection,
            settings: DestinationRelay.Settings(owner: owner),
            logger: logger,
            open: Destinations.opener(webhooks)
        )
    }

    init(
        log: EventLog,
        connection: ConnectionConfiguration,
        settings: DestinationRelay.Settings,
        logger: Logger,
        open: @escaping DestinationOpener
    ) {
        self.log = log
        self.connection = connection
        self.settings = settings
        self.logger = logger
        self.open = open
    }

    package func run() async throws {
        let stop = RelayStop()
        let pool = Pool(
            configuration: connection,
            limits: Pool.Limits(size: Self.connectionLimit, wait: .seconds(2)),
            name: "rastro-relay",
            logger: logger
        )
        await withGracefulShutdownHandler {
            await withTaskGroup(of: Int32.self) { group in
                var relays: [Int32: RelayStop] = [:]
                while !stop.isSet, !Task.isCancelled {
                    if let wanted = await destinations(pool) {
                        for (id, relay) in relays where !wanted.contains(id) { relay.set() }
                        for id in wanted where relays[id] == nil {
                            let relay = RelayStop()
                            relays[id] = relay
                            start(id, pool, relay, in: &group)
                        }
                    }
                    await stop.wait(atMost: Self.interval)
                }
                for relay in relays.values { relay.set() }
                await group.waitForAll()
            }
        } onGracefulShutdown: {
            stop.set()
        }
        await pool.shutdown()
    }

    private func start(_ id: Int32, _ pool: Pool, _ stop: RelayStop, in group: inout TaskGroup<Int32>) {
        let relay = DestinationRelay(
            store: RelayStore(destination: id, pool: pool, identity: log.identity),
            log: log,
            settings: settings,
            logger: logger,
            open: open,
            stop: stop
        )
        group.addTask {
            await relay.run()
            return id
        }
    }

    /// Nil while the database cannot be reached.
    private func destinations(_ pool: Pool) async -> Set<Int32>? {
        do {
            return try await pool.withConnection { session in
                Set(try session.query(Statements.destinationsToServe).map { try $0.int32(0) })
            }
        } catch {
            logger.debug("cannot look for destinations", metadata: ["error": "\(error)"])
            return nil
        }
    }
}
