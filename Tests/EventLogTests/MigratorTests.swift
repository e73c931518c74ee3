import EmbeddedPostgres
import LibPQ
import TestSupport
import Testing

@testable import EventLog

@Suite("Migrations")
struct MigratorTests {
    @Test("a second run changes nothing")
    func twice() async throws {
        try await withEmptyDatabase { address in
            let first = try migrate(address)
            #expect(first == Migrations.all.map(\.name) && !first.isEmpty)
            let before = try owner(address) { try LogIdentity.read($0) }
            #expect(try migrate(address) == [])
            #expect(try owner(address) { try LogIdentity.read($0) } == before)
            #expect(before?.origin == "test.example/log" && before?.partitionSize == 65_536)
            let pending = try owner(address) { try Migrator(session: $0, logger: TestLog.logger).pending() }
            #expect(pending.isEmpty)
        }
    }

    @Test("an empty database says what is pending and is left empty")
    func pending() async throws {
        try await withEmptyDatabase { address in
            let pending = try owner(address) { try Migrator(session: $0, logger: TestLog.logger).pending() }
            #expect(pending == Migrations.all.map(\.name))
            let exists = "select exists (select from pg_namespace where nspname = 'rastro')"
            #expect(try owner(address) { try $0.rows(exists)[0].bool(0) } == false)
        }
    }

    @Test("twenty runs at once apply each migration once")
    func twentyAtOnce() async throws {
        try await withEmptyDatabase { address in
            let applied = try await withThrowingTaskGroup(of: [String].self) { group in
                for number in 0..<20 {
                    group.addTask {
                        try await onThread("migrator-\(number)") { try migrate(address) }
                    }
                }
                return try await group.reduce(into: [String]()) { $0 += $1 }
            }
            #expect(applied == Migrations.all.map(\.name))
            let counts = try owner(address) { session in
                let row = try session.rows(
                    "select (select count(*) from schema_versions), (select count(*) from log_head)"
                )[0]
                return (try row.int64(0), try row.int64(1))
            }
            #expect(counts.0 == Int64(Migrations.all.count) && counts.1 == 1)
        }
    }

    @Test("a schema newer than the program is refused")
    func newerSchema() async throws {
        try await withEmptyDatabase { address in
            try migrate(address)
            try owner(address) { try $0.execute("insert into schema_versions (number, name) values (9000, 'future')") }
            let error = #expect(throws: Migrator.Failure.self) { try migrate(address) }
            guard case .newerSchema(let found, let known) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(found == 9_000 && known == Migrator.latest)
        }
    }

    @Test("a log under another origin is refused and keeps its own")
    func otherOrigin() async throws {
        try await withEmptyDatabase { address in
            try migrate(address)
            let error = #expect(throws: Migrator.Failure.self) { try migrate(address, origin: "other.example/log") }
            guard case .otherOrigin(let found, let configured) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(found == "test.example/log" && configured == "other.example/log")
            #expect(try owner(address) { try LogIdentity.read($0)?.origin } == "test.example/log")
        }
    }

    private func withEmptyDatabase(_ body: (ClusterAddress) async throws -> Void) async throws {
        let address = try await TestCluster.shared.createDatabase()
        try await body(address)
        try await TestCluster.shared.dropDatabase(address)
    }

    private func owner<Result>(_ address: ClusterAddress, _ body: (Session) throws -> Result) throws -> Result {
        try TestLog.withSession(address.ownerConnectionString, body)
    }

    @discardableResult
    private func migrate(_ address: ClusterAddress, origin: String = "test.example/log") throws -> [String] {
        try owner(address) { session in
            try Migrator(session: session, logger: TestLog.logger).migrate(
                as: Migrator.Origin(origin: origin, partitionSize: 65_536),
                servingRole: ClusterAddress.servingRole
            )
        }
    }
}
