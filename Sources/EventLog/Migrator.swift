package import LibPQ
package import Logging

/// Brings a database's schema to what this program knows. Numbered, forward-only, one transaction a step; any number
/// of migrators may run at once.
package struct Migrator {
    /// Where the tables live.
    package static let schema = "rastro"

    /// What a log is made with, at first start only.
    package struct Origin: Sendable {
        package var origin: String
        package var partitionSize: Int64

        package init(origin: String = "rastro.local/catalogue", partitionSize: Int64 = 1 << 24) {
            self.origin = origin
            self.partitionSize = partitionSize
        }
    }

    package enum Failure: Error, Sendable, CustomStringConvertible {
        /// The schema was made by a newer program.
        case newerSchema(found: Int, known: Int)
        /// The log was started under another origin.
        case otherOrigin(found: String, configured: String)
        case encoding(String)

        package var description: String {
            switch self {
            case .newerSchema(let found, let known):
                "the database's schema is at version \(found), this program knows \(known): use a newer rastro"
            case .otherOrigin(let found, let configured):
                "the log was started as '\(found)', not as '\(configured)': an origin never changes"
            case .encoding(let encoding):
                "the database's encoding is \(encoding); rastro needs UTF8"
            }
        }
    }

    private let session: Session
    private let logger: Logger

    /// - Parameter session: connected as the owner of the schema.
    package init(session: Session, logger: Logger) {
        self.session = session
        self.logger = logger
    }

    package static var latest: Int { Migrations.all.last?.number ?? 0 }

    /// Versions that `migrate` would apply; empty when the schema is current.
    ///
    /// - Throws: `Failure.newerSchema` when it was made by a newer program.
    package func pending() throws -> [String] {
        let applied = try appliedVersion()
        guard applied <= Self.latest else { throw Failure.newerSchema(found: applied, known: Self.latest) }
        return Migrations.all.filter { $0.number > applied }.map(\.name)
    }

    /// Applies what is pending and makes the log if there is none.
    ///
    /// - Parameter servingRole: who serves, when that is not the owner; it gets what it needs and no more.
    /// - Returns: the names of the migrations applied.
    @discardableResult
    package func migrate(as origin: Origin, servingRole: String?) throws -> [String] {
        try checkEncoding()
        try session.execute("select pg_advisory_lock(\(Self.lockKey))")
        defer { try? session.execute("select pg_advisory_unlock(\(Self.lockKey))") }
        try session.execute(
            """
            set client_min_messages = warning;
            create schema if not exists \(Self.schema);
            set search_path = \(Self.schema), pg_temp;
            create table if not exists schema_versions (
                number integer primary key, name text not null, applied_at timestamptz not null default clock_timestamp());
            reset client_min_messages
            """
        )
        let applied = try appliedVersion()
        guard applied <= Self.latest else { throw Failure.newerSchema(found: applied, known: Self.latest) }
        var names: [String] = []
        for migration in Migrations.all where migration.number > applied {
            try session.execute(
                """
                begin;
                \(migration.text)
                insert into schema_versions (number, name) values (\(migration.number), '\(migration.name)');
                commit
                """
            )
            logger.info("migrated", metadata: ["migration": "\(migration.name)"])
            names.append(migration.name)
        }
        try start(origin, servingRole: servingRole)
        return names
    }

    private static let lockKey: Int64 = 0x7261_7374_726f

    private func checkEncoding() throws {
        let encoding = Statement(name: "server_encoding", text: "select current_setting('server_encoding')")
        let found = try session.query(encoding).only().text(0)
        guard found == "UTF8" else { throw Failure.encoding(found) }
    }

    private func appliedVersion() throws -> Int {
        let exists = Statement(
            name: "schema_versions_exists",
            text: "select to_regclass('\(Self.schema).schema_versions') is not null"
        )
        guard try session.query(exists).only().bool(0) else { return 0 }
        let version = Statement(
            name: "schema_version",
            text: "select coalesce(max(number), 0) from \(Self.schema).schema_versions"
        )
        return Int(try session.query(version).only().int32(0))
    }

    /// Makes the log's head and first partitions once, and holds later starts to the pinned origin.
    private func start(_ origin: Origin, servingRole: String?) throws {
        let incarnation = UUIDv7().low & 0xffff_ffff
        let hex = String(incarnation, radix: 16)
        _ = try session.query(
            Statements.startLog,
            Parameters()
                .text(origin.origin)
                .text(String(repeating: "0", count: 8 - hex.count) + hex)
                .int64(origin.partitionSize)
        )
        guard let found = try LogIdentity.read(session) else { return }
        guard found.origin == origin.origin else {
            throw Failure.otherOrigin(found: found.origin, configured: origin.origin)
        }
        _ = try session.query(Statements.ensurePartitions, Parameters().int32(2))
        if let servingRole {
            _ = try session.query(Statements.grantServing, Parameters().text(servingRole))
        }
    }
}
