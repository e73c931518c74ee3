import Foundation
import Logging
import TestSupport
import Testing

@testable import EmbeddedPostgres

/// Against real servers, each in a temporary directory that goes away with the test process.
@Suite(.timeLimit(.minutes(2)))
struct EmbeddedPostgresTests {
    let directory: String

    init() throws {
        directory = try TemporaryDirectory.make()
    }

    private func embedded(create: Bool = true, systemRoot: String? = nil) -> EmbeddedPostgres {
        EmbeddedPostgres(
            dataDirectory: directory + "/.rastro",
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            create: create,
            systemRoot: systemRoot ?? directory + "/system"
        )
    }

    @Test func `the first start makes roles and database, and a second one finds them`() async throws {
        let first = embedded()
        let address = try await first.start()
        #expect(try ask(address.servingConnectionString, "select current_user") == "rastro")
        #expect(try ask(address.ownerConnectionString, "select current_user") == "rastro_owner")
        #expect(try ask(address.superuserConnectionString, "show is_superuser") == "on")
        #expect(try ask(address.servingConnectionString, "show fsync") == "on")
        #expect(try ask(address.servingConnectionString, "show server_encoding") == "UTF8")
        #expect(try ask(address.servingConnectionString, "show listen_addresses") == "")
        let canLogIn = "select rolcanlogin from pg_roles where rolname = 'rastro_owner'"
        #expect(try ask(address.servingConnectionString, canLogIn) == "f")
        #expect(throws: EmbeddedPostgresError.self) { try ask(address.servingConnectionString, "create table t ()") }
        _ = try ask(address.ownerConnectionString, "create table kept as select 7 as i")
        await first.stop()
        #expect(throws: EmbeddedPostgresError.self) { try ask(address.servingConnectionString, "select 1") }

        let second = embedded(create: false)
        let again = try await second.start()
        #expect(again == address)
        #expect(try ask(again.superuserConnectionString, "select i from kept") == "7")
        await second.stop()
    }

    @Test func `only the account itself can enter the socket's directory`() async throws {
        let postgres = embedded()
        let address = try await postgres.start()
        let attributes = try FileManager.default.attributesOfItem(atPath: address.socketDirectory)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o700)
        await postgres.stop()
    }

    @Test func `a killed server is started again`() async throws {
        let postgres = embedded()
        let address = try await postgres.start()
        _ = try ask(address.ownerConnectionString, "create table kept as select 7 as i")
        try await withRunning(postgres) {
            let pid = try #require(await postgres.serverPID)
            kill(pid, SIGKILL)
            let next = try await serverPID(of: postgres, otherThan: pid)
            #expect(next != pid)
            #expect(try ask(address.superuserConnectionString, "select i from kept") == "7")
        }
        #expect(await postgres.serverPID == nil)
    }

    @Test func `a server that outlived its supervisor is taken over as it runs`() async throws {
        let lost = embedded()
        let address = try await lost.start()
        let pid = try #require(await lost.serverPID)
        await lost.abandon()

        let heir = embedded()
        #expect(try await heir.start() == address)
        #expect(await heir.serverPID == pid)
        #expect(try ask(address.servingConnectionString, "select 1") == "1")
        await heir.stop()
        #expect(!PostmasterFile.runs(pid, on: directory + "/.rastro/postgres/data"))
    }

    @Test func `a stale process id that another program has now does not stop the start`() async throws {
        let lost = embedded()
        let address = try await lost.start()
        let pid = try #require(await lost.serverPID)
        let account = try ServerAccount.owning(directory + "/.rastro/postgres/data")
        await lost.abandon()
        kill(pid, SIGKILL)
        _ = ChildProcess(pid: pid).wait(until: .now + .seconds(10))

        let stranger = try ChildProcess.spawn(account.command(["/bin/sleep", "600"]))
        defer {
            kill(stranger.pid, SIGKILL)
            _ = stranger.wait(until: .now + .seconds(10))
        }
        let file = directory + "/.rastro/postgres/data/postmaster.pid"
        let rest = try FileText.read(file).drop { $0 != "\n" }
        try FileText.write("\(stranger.pid)\(rest)", to: file, owner: account)

        let heir = embedded()
        #expect(try await heir.start() == address)
        #expect(try ask(address.servingConnectionString, "select 1") == "1")
        #expect(kill(stranger.pid, 0) == 0)
        await heir.stop()
        #expect(kill(stranger.pid, 0) == 0)
    }

    @Test func `two users share one server, and the last to leave stops it`() async throws {
        let first = embedded()
        let address = try await first.start()
        let pid = try #require(await first.serverPID)
        let guest = embedded(create: false)
        #expect(try await guest.start() == address)
        await first.stop()
        #expect(try ask(address.servingConnectionString, "select 1") == "1")
        await guest.stop()
        #expect(!PostmasterFile.runs(pid, on: directory + "/.rastro/postgres/data"))
    }

    @Test func `a guest takes over when the supervisor is lost, and restarts a killed server`() async throws {
        let supervisor = embedded()
        let address = try await supervisor.start()
        let pid = try #require(await supervisor.serverPID)
        let guest = embedded(create: false)
        _ = try await guest.start()
        try await withRunning(guest) {
            await supervisor.abandon()
            kill(pid, SIGKILL)
            _ = try await serverPID(of: guest, otherThan: pid)
            #expect(try ask(address.servingConnectionString, "select 1") == "1")
        }
    }

    @Test func `many starts at once make one cluster`() async throws {
        let all = (0..<6).map { _ in embedded() }
        let addresses = try await withThrowingTaskGroup(of: ClusterAddress.self) { group in
            for one in all { group.addTask { try await one.start() } }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(addresses.count == 1)
        for one in all { await one.stop() }
        #expect(PostmasterFile.serverPID(in: directory + "/.rastro/postgres/data") == nil)
    }

    @Test func `a socket path that would be too long gets a short directory`() async throws {
        let long = directory + "/" + String(repeating: "long", count: 40)
        let postgres = EmbeddedPostgres(
            dataDirectory: long + "/.rastro",
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            systemRoot: long + "/system"
        )
        let address = try await postgres.start()
        #expect(address.socketDirectory.utf8.count <= DataDirectory.socketDirectoryLimitBytes)
        #expect(try ask(address.servingConnectionString, "select 1") == "1")
        await postgres.stop()
        rmdir(address.socketDirectory)
    }

    @Test func `without a cluster nothing is made unless it may be`() async throws {
        let postgres = embedded(create: false)
        let error = await #expect(throws: EmbeddedPostgresError.self) { try await postgres.start() }
        #expect(error?.code == .absent)
        #expect(!FileText.exists(directory + "/.rastro"))
    }

    @Test func `a cluster is found from below its directory`() async throws {
        let postgres = embedded()
        _ = try await postgres.start()
        await postgres.stop()
        try FileText.makeDirectory(directory + "/a/b")
        let found = try #require(EmbeddedPostgres.locate(from: directory + "/a/b"))
        #expect(found == directory + "/.rastro")
        #expect(EmbeddedPostgres.locate(from: "/") == nil)
    }

    @Test func `work with a temporary server leaves none running`() async throws {
        let made = embedded()
        _ = try await made.start()
        await made.stop()
        let answer = try await EmbeddedPostgres.withCluster(
            dataDirectory: directory + "/.rastro",
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { address in
            try ask(address.servingConnectionString, "select 6 * 7")
        }
        #expect(answer == "42")
        #expect(PostmasterFile.serverPID(in: directory + "/.rastro/postgres/data") == nil)
    }
}

/// The one value that a statement returns.
@discardableResult
func ask(_ connectionString: String, _ statement: String) throws -> String {
    let psql = try PostgresInstallation.find().psql
    let command = [psql, "-X", "-q", "-A", "-t", "-w", "-d", connectionString, "-c", statement]
    let output = try ChildProcess.succeed(command, timeout: .seconds(20))
    return String(output.prefix { $0 != "\n" })
}

/// Runs `body` while the service runs, then stops it.
func withRunning(_ postgres: EmbeddedPostgres, _ body: @escaping @Sendable () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await postgres.run() }
        try await body()
        group.cancelAll()
        try await group.waitForAll()
    }
}

/// The process id of the next server, once it takes connections.
func serverPID(of postgres: EmbeddedPostgres, otherThan old: pid_t) async throws -> pid_t {
    let deadline = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < deadline {
        if let pid = await postgres.readyPID, pid != old { return pid }
        try await Task.sleep(for: .milliseconds(20))
    }
    throw EmbeddedPostgresError(.notReady, "no new server in time")
}

extension EmbeddedPostgres {
    var serverPID: pid_t? { server?.pid }

    /// The running server's process id, once it takes connections.
    var readyPID: pid_t? {
        guard let data = cluster?.dataDirectory, let pid = PostmasterFile.serverPID(in: data),
            PostmasterFile(dataDirectory: data)?.isReady == true
        else { return nil }
        return pid
    }

    /// What kill -9 of this process would leave: the locks are gone, the server runs on.
    func abandon() {
        locks = nil
        server = nil
        isSupervisor = false
    }
}
