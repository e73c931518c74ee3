import ArgumentParser
import Catalog
import EventLog
import LibPQ

struct Rebuild: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Build a projection anew from the log, beside the live one, and swap it in.",
        subcommands: [Products.self]
    )

    struct Products: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Rebuild the products projection.")

        @OptionGroup var options: DatabaseOptions

        @Option(help: "Stop at this position; needs --into.")
        var position: Int64?

        @Option(help: "Stop at this time (RFC 3339); needs --into.")
        var at: String?

        @Option(help: "Leave the result in a table of this name and do not swap.")
        var into: String?

        @Flag(help: "Keep the old table as products_old_<position>.")
        var keepOld = false

        func validate() throws {
            if position != nil || at != nil, into == nil {
                throw ValidationError("a projection of the past is never swapped in: name a table with --into")
            }
            if position != nil, at != nil { throw ValidationError("name --at or --position, not both") }
        }

        func run() async throws {
            let logger = options.makeLogger()
            let (report, seconds) = try await options.withDatabase(logger: logger) { database in
                var progress = ProgressReport("rebuilding products: changes")
                let access = EventLogAccess(database: database, logger: logger)
                let session = try access.ownerSession()
                defer { session.close() }
                let rebuild = try ProjectionRebuild(session: session, into: into)
                let stop = try position ?? at.map { try Self.position(at: $0, session: session) }
                var report = try rebuild.build(upTo: stop) { progress.update($0) }
                progress.finish()
                guard report.faults.isEmpty else { return (report, progress.seconds) }
                let old = keepOld ? "products_old_\(report.position)" : nil
                let act = into == nil ? rebuild.swap(report, keepAs: old) : rebuild.record(report)
                let context = try access.commandContext(asOwner: true)
                _ = try await access.withLog(asOwner: true) { log in
                    try await log.submit(.act(act), context: context)
                }
                report.swapped = into == nil
                return (report, progress.seconds)
            }
            show(report, seconds: seconds)
            if !report.faults.isEmpty { throw Failure(.wrong, "the log itself cannot be replayed") }
        }

        private func show(_ report: ProjectionRebuild.Report, seconds: Double) {
            let drift = (report.count(.missing), report.count(.extra), report.count(.different))
            guard options.json else {
                for fault in report.faults { Terminal.print("cannot replay \(fault)") }
                Terminal.print(
                    """
                    rebuilt products from \(report.events) changes: \(report.rows) rows in \
                    \(Milliseconds.text(seconds)) s\(report.swapped ? ", swapped in" : "")
                    drift: \(drift.0) missing, \(drift.1) extra, \(drift.2) different
                    """
                )
                return
            }
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("projection", "products")
            writer.member("events", report.events)
            writer.member("rows", report.rows)
            writer.key("seconds")
            writer.raw(Milliseconds.text(seconds))
            writer.key("drift")
            writer.beginObject()
            writer.member("missing", drift.0)
            writer.member("extra", drift.1)
            writer.member("different", drift.2)
            writer.endObject()
            writer.member("swapped", report.swapped)
            writer.endObject()
            Terminal.print(writer.bytes)
        }
    }
}

/// Seconds as text with three decimals.
enum Milliseconds {
    static func text(_ seconds: Double) -> String {
        let whole = Int((seconds * 1_000).rounded())
        let fraction = String(whole % 1_000)
        return "\(whole / 1_000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
    }
}

extension Rebuild.Products {
    /// The last position at a time.
    fileprivate static func position(at text: String, session: Session) throws -> Int64 {
        guard let time = Timestamp(rfc3339: text) else {
            throw Failure(.usage, "'\(text)' is no RFC 3339 time, such as 2026-11-24T14:03:00Z")
        }
        return try LogClock(session: session).position(at: time)
    }
}
