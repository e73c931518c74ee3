package import LibPQ
package import Logging
import ServiceLifecycle

/// Vacuums the tables whose rows live briefly every few seconds. Autovacuum looks once a minute, if it is on at all: by
/// then a busy queue's journal has grown a hundredfold, and it does not shrink again.
///
/// PostgreSQL lets a table's owner vacuum it. Without an owner's connection this does nothing but say so, once.
/// Any number of processes may run it: one at a time vacuums. At shutdown a running VACUUM is cancelled, which loses
/// nothing.
package struct TableVacuum: Service {
    private let connection: ConnectionConfiguration
    private let interval: Duration
    private let logger: Logger

    /// How often a process that may not vacuum looks whether it has been allowed to.
    private static let deniedInterval: Duration = .seconds(60)
    /// Of the advisory lock that a process holds while it vacuums.
    static let lockKey: Int64 = 0x7261_7374_7661

    /// What one look at the tables came to.
    enum Pass: Sendable, Equatable {
        /// These were vacuumed.
        case vacuumed([String])
        /// Another process is at it.
        case elsewhere
        /// The session's role may vacuum none of them.
        case denied
    }

    /// - Parameter connection: as the owner of the tables; its statement timeout bounds a VACUUM, and a table that takes
    ///   longer is left to autovacuum.
    package init(connection: ConnectionConfiguration, interval: Duration = .seconds(2), logger: Logger) {
        self.connection = connection
        self.interval = interval
        self.logger = logger
    }

    package func run() async throws {
        let worker = Connection(configuration: connection, threadName: "rastro-vacuum", logger: logger)
        try? await cancelWhenGracefulShutdown { try await keepVacuuming(worker) }
        await worker.shutdown()
    }

    /// Ends on cancellation, by an error.
    private func keepVacuuming(_ worker: Connection) async throws {
        var plan = VacuumPlan()
        var isDenied = false
        while true {
            try Task.checkCancellation()
            do {
                let known = plan
                let (pass, next) = try await worker.run { session in
                    var plan = known
                    return (try Self.vacuum(session, &plan), plan)
                }
                plan = next
                if pass == .denied, !isDenied {
                    logger.notice("this process may not vacuum the queues' tables: they are left to autovacuum")
                }
                isDenied = pass == .denied
            } catch {
                try Task.checkCancellation()
                logger.debug("tables are not vacuumed now", metadata: ["error": "\(error)"])
            }
            try await Task.sleep(for: isDenied ? Self.deniedInterval : interval)
        }
    }

    /// Vacuums what the plan says is due. Blocks for as long as that takes.
    static func vacuum(_ session: Session, _ plan: inout VacuumPlan) throws -> Pass {
        let tables = try tables(session)
        guard tables.contains(where: \.isAllowed) else { return .denied }
        let due = tables.filter { $0.isAllowed && plan.isDue($0, at: .now) }
        guard !due.isEmpty else { return .vacuumed([]) }
        let lock = Parameters().int64(lockKey)
        guard try session.query(takeLock, lock).only().bool(0) else { return .elsewhere }
        defer { _ = try? session.query(leaveLock, lock) }
        for table in due {
            let start = ContinuousClock.now
            defer { plan.tried(table, from: start, to: .now) }
            // Who has locked the table against this, such as another VACUUM, is not waited for. Indexes always: by itself
            // PostgreSQL leaves them when few of a table's pages have dead rows, which is so once a table was large.
            do throws(PostgresError) {
                try session.execute("vacuum (skip_locked, truncate off, index_cleanup on) \(table.name)")
            } catch {
                // It took too long, say: the others have their turn, and this one rests.
                guard error.code == .server else { throw error }
            }
        }
        let left = try self.tables(session)
        for table in left where due.contains(where: { $0.name == table.name }) { plan.left(table) }
        return .vacuumed(due.map(\.name))
    }

    /// Whether the session's role may vacuum such tables.
    package static func isAllowed(_ session: Session) throws -> Bool {
        try tables(session).contains { $0.isAllowed }
    }

    private static let takeLock = Statement(name: "lock_vacuum", text: "select pg_try_advisory_lock($1::bigint)")
    private static let leaveLock = Statement(name: "unlock_vacuum", text: "select pg_advisory_unlock($1::bigint)")

    private static func tables(_ session: Session) throws -> [VacuumPlan.Table] {
        try session.query(Statements.tablesToVacuum).map { row in
            VacuumPlan.Table(
                name: try row.text(0),
                dead: try row.int64(1),
                threshold: try row.int64(2),
                isAllowed: try row.bool(3)
            )
        }
    }
}
