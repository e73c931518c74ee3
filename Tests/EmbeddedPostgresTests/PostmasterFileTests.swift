import Testing

@testable import EmbeddedPostgres

struct PostmasterFileTests {
    private let whole = "321\n/data\n1790000000\n5432\n/run/x\n\n  5432001    65537\nready   \n"

    @Test func `a whole file names server, socket and readiness`() throws {
        let file = try #require(PostmasterFile(text: whole))
        #expect(file.pid == 321)
        #expect(file.socketDirectory == "/run/x")
        #expect(file.isReady)
    }

    @Test func `a starting or stopping server is not ready`() throws {
        for word in ["starting", "stopping", "standby "] {
            #expect(try #require(PostmasterFile(text: whole.replacing("ready   ", with: word))).isReady == false)
        }
    }

    @Test(arguments: ["", "\n", "abc\n", "-5\n", "0\n", "1\n", "99999999999999\n"])
    func `a file without a sound process id is none`(text: String) {
        #expect(PostmasterFile(text: text) == nil)
    }

    @Test func `this process is no server of a data directory`() {
        #expect(!PostmasterFile.runs(1, on: "/"))
    }
}

struct ClusterAddressTests {
    @Test func `connection strings quote what needs it`() {
        let address = ClusterAddress(socketDirectory: #"/tmp/it's a \ place"#, database: "d b")
        let expected = #"host='/tmp/it\'s a \\ place' port=5432 dbname='d b' user=rastro"#
        #expect(address.servingConnectionString == expected)
    }

    @Test func `versions are read from what the program prints`() {
        let line = "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"
        #expect(PostgresInstallation.majorVersion(in: line) == 15)
        #expect(PostgresInstallation.majorVersion(in: "postgres (PostgreSQL) 17devel") == 17)
        #expect(PostgresInstallation.majorVersion(in: "something else 15") == nil)
    }
}
