import EmbeddedPostgres
import EventLog
import Foundation
import Gateway
import LibPQ
import Logging
import ServiceLifecycle

/// A PostgreSQL that lives as long as the bench, set up as production's: made in a temporary directory and removed.
struct BenchStage: Sendable {
    let directory: String
    let postgres: EmbeddedPostgres
    let address: ClusterAddress
    let logger: Logger

    init(under parent: String, logger: Logger) async throws {
        let directory = "\(try FileText.resolved(parent))/rastro-bench-\(getpid())"
        try FileText.makeDirectory(directory, mode: 0o755)
        self.directory = directory
        self.logger = logger
        postgres = EmbeddedPostgres(
            dataDirectory: directory + "/data",
            logger: logger,
            systemRoot: directory + "/cluster"
        )
        do {
            address = try await postgres.start()
        } catch {
            try? FileManager.default.removeItem(atPath: directory)
            throw error
        }
    }

    /// Stops the server, if it still runs, and removes everything.
    func remove() async {
        await postgres.stop()
        let directory = directory
        _ = try? await onBlockingThread {
            try ChildProcess.succeed(["/bin/rm", "-rf", "--", directory], timeout: .seconds(120))
        }
    }

    /// Makes a database with an empty log in it.
    func makeDatabase(_ name: String) async throws -> EventLogAccess {
        let administrator = try Session.open(ConnectionConfiguration(url: address.superuserConnectionString))
        try administrator.execute("create database \(name) owner \(ClusterAddress.ownerRole)")
        administrator.close()
        let access = EventLogAccess(
            database: Database(embedded: address.database(name), directory: directory),
            logger: logger
        )
        let session = try access.ownerSession()
        defer { session.close() }
        try Migrator(session: session, logger: logger)
            .migrate(as: Migrator.Origin(), servingRole: access.database.servingRole)
        return access
    }

    /// Waits for the end of the vacuuming that what was measured before has caused, so that it does not count against what
    /// comes next; for a while at most.
    func settle() async throws {
        let session = try Session.open(ConnectionConfiguration(url: address.superuserConnectionString))
        defer { session.close() }
        let workers = Statement(
            name: "bench_vacuum",
            text: "select count(*) from pg_stat_activity where backend_type = 'autovacuum worker'"
        )
        let deadline = ContinuousClock.now + Self.settlingLimit
        while ContinuousClock.now < deadline, try session.query(workers).only().int64(0) > 0 {
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    private static let settlingLimit: Duration = .seconds(30)

    /// Runs `body` beside a server in this process, which it gets the address of.
    func withServer<Value: Sendable>(
        _ access: EventLogAccess,
        roles: Set<ServerRole>,
        unaudited: [UnauditedSource] = [],
        secret: ServerSecret? = nil,
        _ body: @Sendable (String) async throws -> Value
    ) async throws -> Value {
        var configuration = GatewayConfiguration(host: "127.0.0.1", port: 0)
        configuration.unaudited = unaudited
        let (addresses, listening) = AsyncStream.makeStream(of: String.self)
        let server = try Server(
            access: access,
            roles: roles,
            secret: secret,
            gateway: configuration,
            logger: logger
        ) {
            listening.yield($0)
        }
        return try await withServices(server.services) {
            for await address in addresses {
                let value = try await body(address)
                return value
            }
            throw CancellationError()
        } afterwards: {
            await server.close()
        }
    }

    /// Runs `body` beside services, which end after it.
    func withServices<Value: Sendable>(
        _ services: [any Service],
        _ body: @Sendable () async throws -> Value,
        afterwards: @Sendable () async -> Void
    ) async throws -> Value {
        let group = ServiceGroup(services: services, logger: logger)
        let outcome: Result<Value, any Error> = await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { [logger] in
                do {
                    try await group.run()
                } catch {
                    logger.error("the measured server failed", metadata: ["error": "\(error)"])
                }
            }
            let outcome: Result<Value, any Error>
            do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
            await group.triggerGracefulShutdown()
            return outcome
        }
        await afterwards()
        return try outcome.get()
    }
}
