import Foundation
import Logging
import TestSupport
import Testing

@testable import EmbeddedPostgres

/// A cluster or a directory that Rastro did not make is left as it is.
@Suite(.timeLimit(.minutes(2)))
struct DataDirectoryTests {
    let directory: String

    init() throws {
        directory = try TemporaryDirectory.make()
    }

    private func start(_ dataDirectory: String) async throws {
        let postgres = EmbeddedPostgres(
            dataDirectory: dataDirectory,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            systemRoot: directory + "/system"
        )
        _ = try await postgres.start()
        await postgres.stop()
    }

    private func code(_ dataDirectory: String) async -> EmbeddedPostgresError.Code? {
        await #expect(throws: EmbeddedPostgresError.self) { try await start(dataDirectory) }?.code
    }

    @Test func `a cluster given as data directory is refused and not changed`() async throws {
        let foreign = directory + "/main"
        try FileText.makeDirectory(foreign)
        try FileText.write("15\n", to: foreign + "/PG_VERSION")
        #expect(await code(foreign) == .foreignDirectory)
        #expect(FileText.children(of: foreign) == ["PG_VERSION"])
    }

    @Test func `a foreign directory in the home's place is refused and not changed`() async throws {
        let foreign = directory + "/.rastro/postgres"
        try FileText.makeDirectory(foreign)
        try FileText.write("mine\n", to: foreign + "/notes")
        #expect(await code(directory + "/.rastro") == .foreignDirectory)
        #expect(FileText.children(of: foreign) == ["notes"])
    }

    @Test func `data whose marker is missing or another's is refused`() async throws {
        try await start(directory + "/.rastro")
        let marker = directory + "/.rastro/postgres/data/rastro-cluster"
        let text = try FileText.read(marker)
        let account = try ServerAccount.owning(directory + "/.rastro/postgres")
        unlink(marker)
        #expect(await code(directory + "/.rastro") == .foreignDirectory)
        try FileText.write("0123456789abcdef\n", to: marker, owner: account)
        #expect(await code(directory + "/.rastro") == .foreignDirectory)
        try FileText.write(text, to: marker, owner: account)
        try await start(directory + "/.rastro")
    }

    @Test func `a directory that was moved still finds its data`() async throws {
        try await start(directory + "/.rastro")
        #expect(rename(directory + "/.rastro", directory + "/moved") == 0)
        try await start(directory + "/moved")
    }

    @Test(.enabled(if: geteuid() == 0, "only root's data directory is a link"))
    func `a copy that leads to the same data is refused`() async throws {
        try await start(directory + "/.rastro")
        try ChildProcess.succeed(
            ["/bin/cp", "-a", directory + "/.rastro", directory + "/copy"],
            timeout: .seconds(20)
        )
        #expect(await code(directory + "/copy") == .foreignDirectory)
    }

    @Test func `data that is gone is not silently replaced by an empty cluster`() async throws {
        try await start(directory + "/.rastro")
        let home = try FileText.resolved(directory + "/.rastro/postgres")
        #expect(rename(home + "/data", home + "/elsewhere") == 0)
        #expect(await code(directory + "/.rastro") == .fileSystem)
    }

    @Test(.enabled(if: geteuid() == 0, "only root's data lies elsewhere"))
    func `a removed data directory starts anew and leaves the old data`() async throws {
        try await start(directory + "/.rastro")
        let old = try FileText.resolved(directory + "/.rastro/postgres")
        try FileManager.default.removeItem(atPath: directory + "/.rastro")
        try await start(directory + "/.rastro")
        let new = try FileText.resolved(directory + "/.rastro/postgres")
        #expect(new == old + "-2")
        #expect(FileText.exists(old + "/data/PG_VERSION"))
    }

    @Test func `what a killed first start left is cleared`() async throws {
        let path = directory + "/.rastro"
        let account = try ServerAccount.forThisProcess()
        let home = try DataDirectory(path: path, systemRoot: directory + "/system", create: true)
            .makeHome(account: account)
        try FileText.makeDirectory(home.path + "/data.unfinished-1/base", owner: account)
        try await start(path)
        #expect(!FileText.exists(home.path + "/data.unfinished-1"))
        #expect(FileText.exists(home.path + "/data/PG_VERSION"))
    }
}
