import Audit
import Catalog
import Delivery
import EventLog
import LibPQ
import Logging
import ServiceLifecycle

/// How commands and the server reach the log.
struct EventLogAccess: Sendable {
    let database: Database
    let logger: Logger

    /// By these the database lets go of what a machine held that has vanished without a word, within about ten seconds; they
    /// have no effect on a local socket.
    private static let vanished = [
        (name: "tcp_keepalives_idle", value: "5"), (name: "tcp_keepalives_interval", value: "2"),
        (name: "tcp_keepalives_count", value: "3"), (name: "tcp_user_timeout", value: "10s"),
    ]

    /// Connections of the committer: a stuck one would stop everybody, so the server lets go of it quickly. Every statement
    /// there goes by key, whatever statistics say, and is planned once: planning it for each batch costs a tenth of it.
    private func committerConnection(url: String) -> ConnectionConfiguration {
        ConnectionConfiguration(
            url: url,
            applicationName: "rastro committer",
            options: [
                ("search_path", "\(Migrator.schema), pg_temp"),
                ("idle_in_transaction_session_timeout", "1s"),
                ("lock_timeout", "2s"),
                ("statement_timeout", "3s"),
                ("client_connection_check_interval", "2s"),
            ] + Self.vanished + [
                ("plan_cache_mode", "force_generic_plan"),
                ("enable_seqscan", "off"),
                ("enable_hashjoin", "off"),
                ("enable_mergejoin", "off"),
                ("jit", "off"),
            ],
            responseLimit: .seconds(5)
        )
    }

    /// Connections of queue dispatchers. Every statement there goes by key: missing statistics must not choose a plan.
    var dispatcherConnection: ConnectionConfiguration {
        ConnectionConfiguration(
            url: database.servingURL,
            applicationName: "rastro queue",
            options: [
                ("search_path", "\(Migrator.schema), pg_temp"),
                ("idle_in_transaction_session_timeout", "2s"),
                ("statement_timeout", "5s"),
                ("lock_timeout", "2s"),
            ] + Self.vanished + [
                ("enable_seqscan", "off"),
                ("enable_bitmapscan", "off"),
                ("enable_hashjoin", "off"),
                ("enable_mergejoin", "off"),
                ("jit", "off"),
            ],
            responseLimit: .seconds(10)
        )
    }

    /// The connection that vacuums: as the owner, if this process knows the owner's URL. The limits are short, so that
    /// neither a huge table nor a silent server holds shutdown up; what takes longer is left to autovacuum.
    var vacuumConnection: ConnectionConfiguration {
        ConnectionConfiguration(
            url: database.ownerURL,
            applicationName: "rastro vacuum",
            options: [
                ("search_path", "\(Migrator.schema), pg_temp"),
                ("statement_timeout", "10s"),
                ("lock_timeout", "2s"),
                ("vacuum_cost_delay", "0"),
                ("jit", "off"),
            ],
            responseLimit: .seconds(12)
        )
    }

    private func readerConnection(url: String) -> ConnectionConfiguration {
        ConnectionConfiguration(
            url: url,
            applicationName: "rastro reader",
            options: [
                ("search_path", "\(Migrator.schema), pg_temp"),
                ("idle_in_transaction_session_timeout", "5s"),
                ("statement_timeout", "5s"),
                ("lock_timeout", "2s"),
                ("jit", "off"),
            ],
            responseLimit: .seconds(10)
        )
    }

    /// A session for work on the schema or long walks: as the owner, without a statement limit.
    func ownerSession() throws -> Session {
        do {
            return try Session.open(
                ConnectionConfiguration(
                    url: database.ownerURL,
                    applicationName: "rastro maintenance",
                    options: [("search_path", "\(Migrator.schema), pg_temp"), ("jit", "off")]
                )
            )
        } catch {
            throw failure(error)
        }
    }

    /// Prepares every statement of every module against the schema as it is, so that a misfit stops the start and not a
    /// request. All failures are told together.
    func checkStatements() throws {
        let session = try Session.open(readerConnection(url: database.servingURL))
        defer { session.close() }
        try session.prepare(EventLogStatements.all + DeliveryStatements.all + AuditStatements.all)
    }

    /// Opens the log.
    ///
    /// - Parameter asOwner: commit as the owner of the schema, for acts that alter tables.
    func open(asOwner: Bool = false, readers: Int = 2) throws -> EventLog {
        let url = url(asOwner: asOwner)
        let identity = try readIdentity(url: url)
        let pool = Pool(
            configuration: readerConnection(url: url),
            limits: Pool.Limits(size: readers, wait: .seconds(3), waiting: 1_000),
            name: "rastro-read",
            logger: logger
        )
        return EventLog(
            identity: identity,
            committer: CommitterConfiguration(connection: committerConnection(url: url)),
            readers: pool,
            logger: logger
        )
    }

    /// Throws when the database has no log.
    func requireLog() throws { _ = try readIdentity(url: database.servingURL) }

    private func readIdentity(url: String) throws -> LogIdentity {
        do {
            let session = try Session.open(readerConnection(url: url))
            defer { session.close() }
            guard let found = try LogIdentity.read(session) else {
                throw Failure(.unreachable, "the database has no log yet: run `rastro migrate`")
            }
            return found
        } catch let error as PostgresError {
            if error.sqlState == .undefinedTable {
                throw Failure(.unreachable, "the database has no log yet: run `rastro migrate`")
            }
            throw failure(error)
        }
    }

    /// Runs `body` with a log of its own, and ends it afterwards.
    func withLog<Result: Sendable>(
        asOwner: Bool = false,
        _ body: @Sendable (EventLog) async throws -> Result
    ) async throws -> Result {
        let log = try open(asOwner: asOwner)
        let group = ServiceGroup(services: [log], logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do {
                let result = try await body(log)
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
                await log.readers.shutdown()
                return result
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
        }
    }

    /// Who a command acts as: the role that the database knows the committing session by.
    ///
    /// - Parameter asOwner: as `withLog` is told for the same act.
    func commandContext(asOwner: Bool = false, via: Via = .cli) throws -> RequestContext {
        let name: String
        do {
            let session = try Session.open(readerConnection(url: url(asOwner: asOwner)))
            defer { session.close() }
            let role = Statement(name: "session_role", text: "select session_user::text")
            name = try session.query(role).only().text(0)
        } catch {
            throw failure(error)
        }
        guard let context = RequestContext.commandLine(role: name, via: via) else {
            throw Failure(.usage, "the database role '\(name)' cannot stand in a user id")
        }
        return context
    }

    private func url(asOwner: Bool) -> String { asOwner ? database.ownerURL : database.servingURL }

    /// What an error of this database means to whoever ran the command; says which database when it cannot be reached.
    func failure(_ error: PostgresError) -> Failure {
        let failure = Failure(database: error)
        guard failure.status == .unreachable else { return failure }
        logger.debug("cannot reach the database", metadata: ["error": "\(error.debugDescription)"])
        return Failure(.unreachable, "cannot reach \(database.description): \(error.message)")
    }
}
