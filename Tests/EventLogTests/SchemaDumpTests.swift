import EmbeddedPostgres
import Foundation
import TestSupport
import Testing

@testable import EventLog

/// `sql/schema.sql` shows the schema that all migrations together make, for readers. It is generated: after a migration
/// run the tests with RASTRO_WRITE_SCHEMA=1, which writes it.
@Suite("The schema's dump")
struct SchemaDumpTests {
    @Test("sql/schema.sql is what the migrations make")
    func current() async throws {
        try await TestLog.prepared { test in
            let cluster = try await TestCluster.shared.running()
            let dump = try ChildProcess.succeed(
                [
                    cluster.installation.pgDump, "--schema-only", "--no-owner", "--no-privileges", "--no-comments",
                    "--schema=\(Migrator.schema)", "--exclude-table=\(Migrator.schema).events_*",
                    "-d", test.address.superuserConnectionString,
                ],
                timeout: .seconds(60)
            )
            let text = Self.normalised(dump)
            let path = Self.path
            if ProcessInfo.processInfo.environment["RASTRO_WRITE_SCHEMA"] == "1" {
                try text.write(toFile: path, atomically: true, encoding: .utf8)
            }
            // Another major version of pg_dump may write the same schema in other words.
            guard cluster.installation.majorVersion == 15 else { return }
            #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
        }
    }

    private static var path: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "sql/schema.sql").path
    }

    /// Without versions, settings and empty lines in a row; a header of our own.
    private static func normalised(_ dump: String) -> String {
        let ignored = ["--", "SET ", "SELECT pg_catalog.set_config", "\\restrict", "\\unrestrict"]
        var lines = ["-- Generated from migrations/ by SchemaDumpTests; do not edit.", ""]
        for line in dump.split(separator: "\n", omittingEmptySubsequences: false) {
            if ignored.contains(where: { line.hasPrefix($0) }) { continue }
            if line.isEmpty, lines.last?.isEmpty == true { continue }
            lines.append(String(line))
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines.joined(separator: "\n") + "\n"
    }
}
