import ArgumentParser
import Catalog
import EventLog

struct Import: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring a catalogue in: NDJSON or CSV, a product a line.",
        discussion: """
            Members or columns: code, name, price, and if wanted id, model, url, expiresAt. A row is known by its code: \
            one that is there already with the same fields makes no event, so an import can be run again. A bad row is \
            reported with its line number and the rest goes on; the exit status is then 1.
            """
    )

    @OptionGroup var options: DatabaseOptions

    @Argument(help: "The file; - reads standard input.")
    var file: String

    @Option(help: "ndjson or csv; by default the file's ending decides, else ndjson.")
    var format: CatalogueRows.Format?

    @Option(help: "The importing user, whose name every event bears; by default the database role.")
    var user: String?

    func run() async throws {
        let logger = options.makeLogger()
        let importer = try user.map { name in
            guard let userID = UserID(external: name) else { throw Failure(.usage, "'\(name)' is no user id") }
            return userID
        }
        let lines = try LineReader(path: file)
        let rows = CatalogueRows(format: format ?? (file.hasSuffix(".csv") ? .csv : .ndjson), lines: lines)
        let report = try await options.withDatabase(logger: logger) { database in
            let access = EventLogAccess(database: database, logger: logger)
            var context = try access.commandContext(via: .import)
            if let importer { context = context.acting(as: importer) }
            return try await access.withLog { [context] log in
                try await Self.run(rows, into: CatalogueImport(log: log, context: context))
            }
        }
        show(report)
        if report.refused > 0 { throw Failure(.wrong, "\(report.refused) rows were not imported") }
    }

    private static func run(_ rows: CatalogueRows, into catalogue: CatalogueImport) async throws
        -> CatalogueImport.Report
    {
        var rows = rows
        var report = CatalogueImport.Report()
        var progress = ProgressReport("importing: rows")
        var count = 0
        while true {
            var chunk: [CatalogueImport.Row] = []
            var ended = false
            while chunk.count < CatalogueImport.chunkSize {
                guard let next = try rows.next() else {
                    ended = true
                    break
                }
                count += 1
                switch next {
                case .success(let row): chunk.append(row)
                case .failure(let bad): report.refuse(line: bad.line, reason: bad.reason)
                }
            }
            try await catalogue.add(chunk, to: &report)
            progress.update(count, part: rows.size.map { ProgressReport.Part(done: rows.position, of: $0) })
            if ended { break }
        }
        progress.finish()
        return report
    }

    private func show(_ report: CatalogueImport.Report) {
        for failure in report.failures { Terminal.note("line \(failure.line): \(failure.reason)") }
        let unshown = report.refused - report.failures.count
        if unshown > 0 { Terminal.note("and \(unshown) more") }
        guard options.json else {
            Terminal.print(
                """
                \(report.created) created, \(report.updated) updated, \(report.unchanged) unchanged, \
                \(report.refused) refused
                """
            )
            return
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("created", report.created)
        writer.member("updated", report.updated)
        writer.member("unchanged", report.unchanged)
        writer.member("refused", report.refused)
        writer.endObject()
        Terminal.print(writer.bytes)
    }
}

extension CatalogueRows.Format: ExpressibleByArgument {}
