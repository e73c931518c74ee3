import Catalog
import EmbeddedPostgres
import EventLog
import LibPQ
import Logging
import TestSupport
import Testing

@testable import rastro

@Suite("A command's events")
struct CommandContextTests {
    private static let logger = Logger(label: "rastro-tests") { _ in SwiftLogNoOpLogHandler() }

    @Test("name the role of the session that commits them")
    func role() async throws {
        let address = try await TestCluster.shared.createDatabase()
        let database = Database(embedded: address, directory: "elsewhere")
        let access = EventLogAccess(database: database, logger: Self.logger)
        #expect(try access.commandContext().caller.userID.description == "role:\(ClusterAddress.servingRole)")
        let owner = try access.commandContext(asOwner: true)
        #expect(owner.caller.userID.description == "role:\(ClusterAddress.superuserRole)")
        try await TestCluster.shared.dropDatabase(address)
    }

    @Test("a database that cannot be reached is told apart from one without a log")
    func failures() async throws {
        let address = try await TestCluster.shared.createDatabase()
        let empty = EventLogAccess(database: Database(embedded: address, directory: "here"), logger: Self.logger)
        let noLog = #expect(throws: Failure.self) { try empty.open() }
        #expect(noLog?.status == .unreachable)
        #expect(noLog?.message.contains("rastro migrate") == true)
        let none = Database(url: "host=127.0.0.1 port=1 user=nobody", ownerURL: nil)
        let gone = #expect(throws: Failure.self) {
            try EventLogAccess(database: none, logger: Self.logger).commandContext()
        }
        #expect(gone?.status == .unreachable)
        #expect(gone?.message.hasPrefix("cannot reach nobody@127.0.0.1:1/") == true)
        try await TestCluster.shared.dropDatabase(address)
    }
}
