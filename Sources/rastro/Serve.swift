import ArgumentParser
import EmbeddedPostgres
import EventLog
import Foundation
import LibPQ
import Logging
import ServiceLifecycle
import UnixSignals

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the server: gateway, relay, queues and consumers in one process.",
        discussion: """
            With no DATABASE_URL it keeps a private PostgreSQL under .rastro/ and makes a first admin key. It prints one \
            line `listening on http://HOST:PORT` when ready. SIGTERM finishes what is in flight, then it exits 0; a \
            second one exits at once.
            """
    )

    @OptionGroup var options: DatabaseOptions
    @OptionGroup var gateway: GatewayOptions

    @Option(help: "What this process does, comma-separated: gateway, relay, consumer (or RASTRO_ROLES; default all).")
    var roles: String?

    @Flag(help: "Do not migrate the schema first.")
    var noMigrate = false

    func validate() throws { _ = try effectiveRoles }

    private var effectiveRoles: Set<ServerRole> {
        get throws {
            let list = roles ?? ProcessInfo.processInfo.environment["RASTRO_ROLES"]
            return try list.map(ServerRole.parse(list:)) ?? Set(ServerRole.allCases)
        }
    }

    func run() async throws {
        let logger = options.makeLogger()
        SecondSignal.exitAtOnce()
        if try effectiveRoles.contains(.gateway) {
            try await ListeningAddress(gateway.configuration).requireFree()
        }
        if let external = options.externalDatabase {
            return try await serve(external, embedded: nil, logger: logger)
        }
        let embedded = EmbeddedPostgres(dataDirectory: options.serverDataDirectory, logger: logger)
        let address = try await embedded.start()
        do {
            let database = Database(embedded: address, directory: options.serverDataDirectory)
            try await serve(database, embedded: embedded, logger: logger)
        } catch {
            await embedded.stop()
            throw error
        }
    }

    private func serve(_ database: Database, embedded: EmbeddedPostgres?, logger: Logger) async throws {
        let access = EventLogAccess(database: database, logger: logger)
        if noMigrate { try access.requireLog() } else { try migrate(access) }
        try access.checkStatements()
        let firstKey = embedded.map { _ in FirstKey(directory: options.serverDataDirectory) }
        let isFirstStart = try await firstKey?.makeIfMissing(access: access) ?? false
        let secret = try ServerSecretFile(dataDirectory: database.dataDirectory)?.readOrMake()
        let server = try Server(
            access: access,
            roles: try effectiveRoles,
            secret: secret,
            webhookNetworks: gateway.allowedWebhookNetworks,
            gateway: gateway.configuration,
            logger: logger
        ) { address in
            Terminal.print("listening on \(address)")
            if isFirstStart { firstKey?.showCommands(address: address) }
        }
        let services: [any Service] = (embedded.map { [$0] } ?? []) + server.services
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                // When one fails the others end as they do at SIGTERM: what is in flight is finished.
                services: services.map {
                    ServiceGroupConfiguration.ServiceConfiguration(
                        service: $0,
                        failureTerminationBehavior: .gracefullyShutdownGroup
                    )
                },
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
        try await group.run()
        await server.close()
    }

    private func migrate(_ access: EventLogAccess) throws {
        let session = try access.ownerSession()
        defer { session.close() }
        try Migrator(session: session, logger: access.logger)
            .migrate(as: options.origin, servingRole: access.database.servingRole)
    }
}
