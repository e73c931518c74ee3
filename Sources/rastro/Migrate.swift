import ArgumentParser
import EventLog
import LibPQ

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring the database's schema up to date, and make the log at first."
    )

    @OptionGroup var options: DatabaseOptions

    @Flag(help: "Change nothing; exit 1 when something is pending.")
    var check = false

    func run() async throws {
        let logger = options.makeLogger()
        try await options.withDatabase(logger: logger) { database in
            let session = try EventLogAccess(database: database, logger: logger).ownerSession()
            defer { session.close() }
            let migrator = Migrator(session: session, logger: logger)
            if check {
                let pending = try migrator.pending()
                for name in pending { Terminal.print("pending: \(name)") }
                if !pending.isEmpty { throw Failure(.wrong, "\(pending.count) migrations are pending") }
                Terminal.print("the schema is current")
                return
            }
            let applied = try migrator.migrate(as: options.origin, servingRole: database.servingRole)
            for name in applied { Terminal.print("applied: \(name)") }
            Terminal.print("the schema is current")
        }
    }
}
