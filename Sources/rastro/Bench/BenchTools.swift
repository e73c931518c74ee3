import EmbeddedPostgres
import Foundation

/// The programs that make load, and what they tell.
struct BenchTools: Sendable {
    /// What a block of requests showed.
    struct Load: Sendable {
        let requests: Int
        let perSecond: Double
        /// Milliseconds.
        let median: Double
        let late: Double
    }

    private let wrk: String
    private let pgbench: String?

    /// - Throws: `Failure` when one is missing.
    init(needsPgbench: Bool) throws {
        let searched = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        guard let wrk = Self.find("wrk", in: searched) else {
            throw Failure(.unreachable, "wrk is missing: install the package wrk, or run `make bench`")
        }
        self.wrk = wrk
        let installed = try PostgresInstallation.find().binDirectory
        pgbench = Self.find("pgbench", in: [installed] + searched)
        if needsPgbench, pgbench == nil {
            throw Failure(.unreachable, "pgbench is missing: install the package postgresql-contrib")
        }
    }

    /// Lets `connections` clients ask as fast as they are answered; every answer must be a success.
    func load(
        _ url: String,
        script: String,
        key: String?,
        connections: Int,
        seconds: Int,
        arguments: [String]
    ) async throws -> Load {
        let threads = min(2, connections)
        let command =
            [
                wrk, "--latency", "-t", "\(threads)", "-c", "\(connections)", "-d", "\(seconds)s", "--timeout", "10s",
                "-s", script,
            ] + (key.map { ["-H", "x-api-key: \($0)"] } ?? []) + [url, "--"] + arguments
        let output = try await Self.run(command, seconds: seconds)
        let values = Dictionary(Self.pairs(of: output)) { first, _ in first }
        if let refused = values["Non-2xx or 3xx responses:"] ?? values["Socket errors:"] {
            throw Failure(.wrong, "\(refused) requests of a block failed:\n\(output)")
        }
        guard let rate = values["Requests/sec:"].flatMap(Double.init) else {
            throw Failure(.wrong, "wrk told no rate:\n\(output)")
        }
        guard let line = output.split(separator: "\n").first(where: { $0.contains(" requests in ") }),
            let requests = line.split(separator: " ").first.flatMap({ Int($0) })
        else { throw Failure(.wrong, "wrk told no count:\n\(output)") }
        return Load(
            requests: requests,
            perSecond: rate,
            median: values["50%"].flatMap(Self.milliseconds) ?? 0,
            late: values["99%"].flatMap(Self.milliseconds) ?? 0
        )
    }

    /// Transactions a second of a pgbench script.
    func transactions(
        script: String,
        database: String,
        clients: Int,
        seconds: Int
    ) async throws -> Double {
        let command = [
            pgbench ?? "pgbench", "-n", "-M", "prepared", "-c", "\(clients)", "-j", "\(min(2, clients))", "-T",
            "\(seconds)", "-f", script, database,
        ]
        let output = try await Self.run(command, seconds: seconds)
        let line = output.split(separator: "\n").first { $0.hasPrefix("tps = ") }
        guard let rate = line.flatMap({ Double($0.dropFirst(6).prefix { $0 != " " }) }) else {
            throw Failure(.wrong, "pgbench told no rate:\n\(output)")
        }
        return rate
    }

    private static func run(_ command: [String], seconds: Int) async throws -> String {
        try Task.checkCancellation()
        return try await onBlockingThread { try ChildProcess.succeed(command, timeout: .seconds(seconds + 30)) }
    }

    private static func find(_ name: String, in directories: [String]) -> String? {
        directories.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    /// wrk's lines: a label, then a value.
    private static func pairs(of output: String) -> [(String, String)] {
        output.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ").map(String.init)
            if line.contains("Socket errors:") { return ("Socket errors:", line.trimmingCharacters(in: .whitespaces)) }
            guard let value = words.last, words.count > 1 else { return nil }
            return (words.dropLast().joined(separator: " "), value)
        }
    }

    /// `812.00us`, `4.31ms` or `1.02s`.
    private static func milliseconds(_ text: String) -> Double? {
        for (suffix, scale) in [("us", 0.001), ("ms", 1), ("s", 1_000)] where text.hasSuffix(suffix) {
            return Double(text.dropLast(suffix.count)).map { $0 * scale }
        }
        return nil
    }
}
