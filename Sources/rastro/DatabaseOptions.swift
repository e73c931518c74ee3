import ArgumentParser
import EmbeddedPostgres
import EventLog
import Foundation
import Logging

/// What every command takes: which database, how to print.
struct DatabaseOptions: ParsableArguments {
    @Option(help: "A PostgreSQL to use instead of the embedded one (or DATABASE_URL).")
    var databaseUrl: String?

    @Option(help: "The owner's connection, when the serving role is another (or RASTRO_OWNER_DATABASE_URL).")
    var ownerDatabaseUrl: String?

    @Option(help: "Where the embedded database lies (or RASTRO_DATA_DIR); found by itself.")
    var dataDir: String?

    @Flag(help: "Print JSON, one document a line.")
    var json = false

    @Option(help: "trace, debug, info, notice, warning, error or critical (or RASTRO_LOG_LEVEL).")
    var logLevel: String?

    func validate() throws {
        if let level = effectiveLogLevel, Logger.Level(rawValue: level) == nil {
            throw ValidationError("'\(level)' is no log level")
        }
        if let size = environment["RASTRO_PARTITION_SIZE"] {
            guard let size = Int64(size), size >= 65_536, size % 65_536 == 0 else {
                throw ValidationError("RASTRO_PARTITION_SIZE is a multiple of 65536, at least that")
            }
        }
    }

    /// What the log is made with at first start.
    var origin: Migrator.Origin {
        var origin = Migrator.Origin()
        if let name = environment["RASTRO_LOG_ORIGIN"] { origin.origin = name }
        if let size = environment["RASTRO_PARTITION_SIZE"].flatMap(Int64.init) { origin.partitionSize = size }
        return origin
    }

    func makeLogger() -> Logger {
        var logger = Logger(label: "rastro") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = effectiveLogLevel.flatMap(Logger.Level.init(rawValue:)) ?? .notice
        return logger
    }

    /// Runs `body` with the database that the options name; an embedded one is started if it does not run, and stopped
    /// again unless others use it.
    func withDatabase<Value: Sendable>(
        logger: Logger,
        _ body: @escaping @Sendable (Database) async throws -> Value
    ) async throws -> Value {
        if let external = externalDatabase { return try await body(external) }
        guard let directory = existingDataDirectory else {
            throw Failure(
                .unreachable,
                "there is no embedded database here: start `rastro serve`, or name --data-dir or --database-url"
            )
        }
        Terminal.note("using the embedded database in \(directory)")
        return try await EmbeddedPostgres.withCluster(dataDirectory: directory, logger: logger) { address in
            try await body(Database(embedded: address, directory: directory))
        }
    }

    /// The database at the URL, when one is named.
    var externalDatabase: Database? {
        guard let url = databaseUrl ?? environment["DATABASE_URL"], !url.isEmpty else { return nil }
        return Database(url: url, ownerURL: ownerDatabaseUrl ?? environment["RASTRO_OWNER_DATABASE_URL"])
    }

    /// Where `rastro serve` keeps its database when none is named.
    var serverDataDirectory: String { dataDir ?? environment["RASTRO_DATA_DIR"] ?? ".rastro" }

    private var existingDataDirectory: String? {
        dataDir ?? environment["RASTRO_DATA_DIR"]
            ?? EmbeddedPostgres.locate(from: FileManager.default.currentDirectoryPath)
    }

    private var effectiveLogLevel: String? { logLevel ?? environment["RASTRO_LOG_LEVEL"] }

    private var environment: [String: String] { ProcessInfo.processInfo.environment }
}
