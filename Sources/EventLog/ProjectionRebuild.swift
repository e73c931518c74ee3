import Catalog
package import LibPQ

/// Builds the products projection anew beside the live one, from the log alone, and swaps it in while requests go on.
///
/// One at a time: a rebuild holds an advisory lock for as long as its session lasts.
package struct ProjectionRebuild {
    /// What a rebuild found and did.
    package struct Report: Sendable {
        package var events = 0
        package var rows = 0
        package var drift: [ProjectionWalk.Drift] = []
        package var faults: [String] = []
        /// The table holds every change up to here.
        package var position: Int64 = 0
        package var swapped = false

        package func count(_ kind: ProjectionWalk.Drift.Kind) -> Int { drift.count { $0.kind == kind } }
    }

    package enum Failure: Error, Sendable, Hashable, CustomStringConvertible {
        case underWay
        case badName(String)
        case tableExists(String)

        package var description: String {
            switch self {
            case .underWay: "another rebuild of products is under way"
            case .badName(let name):
                "'\(name)' cannot be the table: its name begins with products_ and has lower-case letters, digits and _"
            case .tableExists(let name): "there is a table or view '\(name)' already; drop it first"
            }
        }
    }

    private let session: Session
    private let target: RebuildTarget
    private let pageSize: Int32
    /// How far the copy may lag when the head is locked for the rest.
    private static let finalStretch: Int64 = 2_000

    /// - Parameters:
    ///   - session: connected as the owner of the schema.
    ///   - name: the table to build and leave; nil builds one to be swapped in.
    package init(session: Session, into name: String? = nil, pageSize: Int32 = ProjectionWalk.defaultPageSize)
        throws(Failure)
    {
        self.session = session
        self.pageSize = pageSize
        target = try RebuildTarget(name: name)
    }

    /// Folds the log into the new table, comparing with the live one on the way.
    ///
    /// - Parameter position: stop at this position (a projection of the past); nil follows the log.
    /// - Throws: `Failure` when the table may not be made; nothing was changed then.
    package func build(upTo position: Int64? = nil, progress: (Int) -> Void = { _ in }) throws -> Report {
        guard try session.query(Statements.lockRebuild).only().bool(0) else { throw Failure.underWay }
        try target.create(session)
        var report = Report()
        report.position = try position ?? endOfLog()
        try ProjectionWalk(session: session, pageSize: pageSize).forEachPage(upTo: position ?? .max) { page in
            report.events += page.events
            report.faults += page.faults.map { "product \($0.id): \($0.fault)" }
            if position == nil { report.drift += page.drift }
            report.rows += try target.insert(page.folded.map(\.state), session)
            progress(report.events)
        }
        if position == nil {
            try catchUp(&report)
            while try endOfLog() - report.position > Self.finalStretch { try catchUp(&report) }
        }
        // Only now: pages are of different moments, and a code may have moved from one product to another in between.
        try target.index(session)
        return report
    }

    /// Brings the table up to the log's end: each product that changed, from its row on. Safe to repeat.
    package func catchUp(_ report: inout Report) throws {
        let end = try endOfLog()
        let range = Parameters().int64(report.position).int64(end)
        let changed = try session.query(Statements.productsChangedSince, range).map { try $0.int64(0) }
        let rows = try target.states(of: changed, session)
        let from = report.position
        let states = try changed.compactMap(ProductID.init).map { id in
            // A page may have been read after `from`: then its row already holds some of the changes.
            try ProductHistory(session: session, productID: id).state(at: end, from: rows[id], after: from)
        }
        try target.replace(changed, with: states, session)
        report.position = end
    }

    /// The act that puts the table in the projection's place: the rest of the log, swap and event in one transaction
    /// under the head's lock. A reader of the old table that lasts longer than 50 ms makes it fail and be tried again.
    package func swap(_ report: Report, keepAs oldName: String?) -> Act {
        let (target, pageSize) = (target, pageSize)
        return Act(replacesProducts: true) { session, _ in
            var report = report
            let rebuild = ProjectionRebuild(session: session, target: target, pageSize: pageSize)
            try rebuild.catchUp(&report)
            _ = try session.query(Statements.swapProducts, Parameters().text(target.table).text(oldName))
            return Self.data(report, into: nil)
        }
    }

    /// The event of a rebuild whose table is left for its maker.
    package func record(_ report: Report) -> Act {
        let table = target.table
        return Act { _, _ in Self.data(report, into: table) }
    }

    private init(session: Session, target: RebuildTarget, pageSize: Int32) {
        self.session = session
        self.target = target
        self.pageSize = pageSize
    }

    private static func data(_ report: Report, into table: String?) -> [UInt8] {
        var data = OperationData(action: "projection.rebuilt")
        data.add("projection", "products")
        data.add("events", Int64(report.events))
        if let table {
            data.add("into", table)
            data.add("position", report.position)
        }
        for kind in [ProjectionWalk.Drift.Kind.missing, .extra, .different] {
            data.add(kind.rawValue, Int64(report.count(kind)))
        }
        return data.bytes
    }

    private func endOfLog() throws -> Int64 { try LogClock(session: session).end() }
}
