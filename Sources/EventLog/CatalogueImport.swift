package import Catalog
import LibPQ

/// Brings rows of a foreign catalogue into the log: each row that is new or different is an event by the importing user.
///
/// A row is known by its code: one that is there with the same fields makes no event, so an import that broke off can be
/// run again. Rows go to the committer a chunk at a time; memory does not grow with the file.
package struct CatalogueImport: Sendable {
    /// A row that was read.
    package struct Row: Sendable {
        /// From 1.
        package let line: Int
        package let product: NewProduct

        package init(line: Int, product: NewProduct) {
            self.line = line
            self.product = product
        }
    }

    package struct Report: Sendable {
        package var created = 0
        package var updated = 0
        package var unchanged = 0
        /// How many rows were refused.
        package private(set) var refused = 0
        /// The refused rows nearest to the file's start, in its order; at most `failureLimit`.
        package private(set) var failures: [Failure] = []
        package static let failureLimit = 50

        /// A row that was refused, and why.
        package struct Failure: Sendable, Hashable {
            package let line: Int
            package let reason: String
        }

        package init() {}

        /// Counts a refused row.
        package mutating func refuse(line: Int, reason: String) {
            refused += 1
            let place = failures.firstIndex { $0.line > line } ?? failures.count
            guard place < Self.failureLimit else { return }
            failures.insert(Failure(line: line, reason: reason), at: place)
            if failures.count > Self.failureLimit { failures.removeLast() }
        }
    }

    private let log: EventLog
    private let context: RequestContext
    /// How many rows are under way at a time.
    package static let chunkSize = 2_000

    package init(log: EventLog, context: RequestContext) {
        self.log = log
        self.context = context
    }

    /// Imports one chunk; a code that stands in it twice is taken in order.
    ///
    /// - Throws: `CommitError` or `PostgresError` when the database cannot be reached; a row that is refused is
    ///   reported and the rest goes on.
    package func add(_ rows: [Row], to report: inout Report) async throws {
        var known = try await find(rows.map(\.product.fields.code))
        var waiting = rows
        while !waiting.isEmpty {
            // Rows whose code occurs again wait for the next round, which sees what this one did.
            var taken: Set<ExactText> = []
            var (now, later): ([Row], [Row]) = ([], [])
            for row in waiting {
                if taken.insert(ExactText(row.product.fields.code)).inserted {
                    now.append(row)
                } else {
                    later.append(row)
                }
            }
            try await commit(now, known: known, report: &report)
            if !later.isEmpty { known = try await find(later.map(\.product.fields.code)) }
            waiting = later
        }
    }

    private func commit(_ rows: [Row], known: [ExactText: Product], report: inout Report) async throws {
        try await withThrowingTaskGroup(of: (Int, Outcome).self) { group in
            for row in rows {
                guard let work = work(for: row.product, known: known[ExactText(row.product.fields.code)]) else {
                    report.unchanged += 1
                    continue
                }
                let (log, context) = (log, context)
                group.addTask { (row.line, try await log.submit(work, context: context)) }
            }
            for try await (line, outcome) in group {
                switch outcome.answer {
                case .product(let product, let changed) where changed:
                    if product.version == 1 { report.created += 1 } else { report.updated += 1 }
                case .rejected(let rejection): report.refuse(line: line, reason: rejection.description)
                default: report.unchanged += 1
                }
            }
        }
    }

    private func work(for product: NewProduct, known: Product?) -> Work? {
        guard let known else { return .create(product) }
        if let id = product.id, id != known.id { return .create(product) }
        guard known.fields != product.fields, let replacement = try? Replacement(fields: product.fields) else {
            return nil
        }
        return .command(.replace(known.id, replacement, .none))
    }

    private func find(_ codes: [String]) async throws -> [ExactText: Product] {
        try await log.readers.withConnection { session in
            var found: [ExactText: Product] = [:]
            for row in try session.query(Statements.findProductsByCode, Parameters().textArray(codes)) {
                if case .live(let product) = try ProductRow.state(row).1 { found[ExactText(product.code)] = product }
            }
            return found
        }
    }
}
