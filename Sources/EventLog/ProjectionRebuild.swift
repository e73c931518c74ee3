import Catalog
package import LibPQ

/// Builds the products projection anew beside the live one, from the log alone, and swaps it in while requests go on.
package struct ProjectionRebuild {
    /// What a rebuild found and did.
    package struct Report: Sendable {
        package var events = 0
        package var rows = 0
        package var drift: [ProjectionWalk.Drift] = []
        package var faults: [String] = []
        package var position: Int64 = 0
        package var swapped = false

        package func count(_ kind: ProjectionWalk.Drift.Kind) -> Int { drift.count { $0.kind == kind } }
    }

    private let session: Session
    private let table: String
    /// How far the copy may lag when the head is locked for the rest.
    private static let finalStretch: Int64 = 2_000

    /// - Parameters:
    ///   - session: connected as the owner of the schema.
    ///   - table: the table to build; it must not exist.
    package init(session: Session, table: String = "products_rebuild") {
        self.session = session
        self.table = table
    }

    /// Folds the log into the new table, comparing with the live one on the way.
    ///
    /// - Parameter position: stop at this position (a projection of the past); nil follows the log.
    package func build(upTo position: Int64? = nil, progress: (Int) -> Void = { _ in }) throws -> Report {
        try session.execute("drop table if exists \(quotedTable)")
        try session.execute("create table \(quotedTable) (like products including all)")
        var report = Report()
        report.position = try position ?? endOfLog()
        try ProjectionWalk(session: session).forEachPage(upTo: position ?? .max) { page in
            report.events += page.events
            report.faults += page.faults.map { "product \($0.id): \($0.fault)" }
            if position == nil { report.drift += page.drift }
            report.rows += try insert(page.folded)
            progress(report.events)
        }
        if position == nil {
            while try endOfLog() - report.position > Self.finalStretch { try catchUp(&report) }
        }
        return report
    }

    /// Brings the table up to the log's end. Safe to repeat.
    package func catchUp(_ report: inout Report) throws {
        let end = try endOfLog()
        let changed = try session.query(
            Statements.productsChangedSince,
            Parameters().int64(report.position).int64(end)
        )
        var states: [(id: ProductID, state: ProductState)] = []
        for row in changed {
            guard let id = ProductID(try row.int64(0)) else { continue }
            states.append((id, try ProductHistory(session: session, productID: id).state(at: end)))
        }
        let delete = Statement(
            name: "rebuild_delete_\(table)",
            text: "delete from \(quotedTable) where id = any ($1::bigint[])"
        )
        _ = try session.query(delete, Parameters().int64Array(states.map(\.id.rawValue)))
        _ = try insert(states)
        report.position = end
    }

    /// The act that puts the table in the projection's place: the rest of the log, swap and event in one transaction
    /// under the head's lock. A reader of the old table that lasts longer than 50 ms makes it fail and be tried again.
    package func swap(_ report: Report, keepAs oldName: String?) -> Act {
        let table = table
        return Act(replacesProducts: true) { session, _ in
            var report = report
            let rebuild = ProjectionRebuild(session: session, table: table)
            try rebuild.catchUp(&report)
            _ = try session.query(Statements.swapProducts, Parameters().text(table).text(oldName))
            var data = OperationData(action: "projection.rebuilt")
            data.add("projection", "products")
            data.add("events", Int64(report.events))
            for kind in [ProjectionWalk.Drift.Kind.missing, .extra, .different] {
                data.add(kind.rawValue, Int64(report.count(kind)))
            }
            return data.bytes
        }
    }

    private var quotedTable: String { "\"" + table.replacing("\"", with: "\"\"") + "\"" }

    private func endOfLog() throws -> Int64 {
        let rows = try session.query(Statements.logEnd)
        return try rows.isEmpty ? 0 : rows[0].int64(0)
    }

    private func insert(_ states: [(id: ProductID, state: ProductState)]) throws -> Int {
        var rows = ProductColumns()
        for (_, state) in states { rows.append(state) }
        guard !rows.isEmpty else { return 0 }
        let text = Statements.insertProducts.text.replacing("insert into products", with: "insert into \(quotedTable)")
        let insert = Statement(name: "rebuild_insert_\(table)", text: text)
        return try session.query(insert, rows.parameters).affectedRows
    }
}
