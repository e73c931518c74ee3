import Catalog
import LibPQ

/// The table that a rebuild fills. Its name is checked, so that it can stand in statements; it never is one that this
/// rebuild did not make.
struct RebuildTarget: Sendable {
    let table: String
    private let isKept: Bool
    /// The comment by which a later rebuild knows what an earlier one left unfinished.
    private static let mark = "rastro: a rebuild of products, not swapped in"

    init(name: String?) throws(ProjectionRebuild.Failure) {
        isKept = name != nil
        table = name ?? "products_rebuild"
        let isPlain = table.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
            default: false
            }
        }
        // 63 bytes are a name's limit in PostgreSQL, and the indexes append a suffix.
        guard isPlain, table.hasPrefix("products_"), table.utf8.count <= 50 else { throw .badName(table) }
    }

    /// Makes the table without its secondary indexes. An unfinished one of an earlier rebuild is dropped, any other is
    /// left alone and refused.
    func create(_ session: Session) throws {
        let found = try session.query(Statements.relationComment, Parameters().text(table))
        if let row = found.first {
            guard !isKept, try row.optionalText(0) == Self.mark else {
                throw ProjectionRebuild.Failure.tableExists(table)
            }
            try session.execute("drop table \(table)")
        }
        try session.transaction {
            try session.execute(
                """
                create table \(table) (like products including defaults including constraints including storage);
                alter table \(table) add constraint \(table)_pkey primary key (id);
                alter table \(table) set (fillfactor = 80);
                comment on table \(table) is '\(Self.mark)'
                """
            )
        }
    }

    /// Makes the secondary indexes and the planner's statistics.
    func index(_ session: Session) throws {
        try session.execute("create unique index \(table)_code on \(table) (code) where not removed")
        try session.execute("create index \(table)_live on \(table) (id) where not removed")
        try session.execute(
            "create index \(table)_expiry on \(table) (expires_at) where expires_at is not null and not removed"
        )
        if isKept { try session.execute("comment on table \(table) is null") }
        try session.execute("analyze \(table)")
    }

    func insert(_ states: [ProductState], _ session: Session) throws -> Int {
        var rows = ProductColumns()
        for state in states { rows.append(state) }
        guard !rows.isEmpty else { return 0 }
        let text = Statements.insertProducts.text.replacing("insert into products", with: "insert into \(table)")
        return try session.query(Statement(name: "insert_\(table)", text: text), rows.parameters).affectedRows
    }

    /// The rows of some products, by id.
    func states(of ids: [Int64], _ session: Session) throws -> [ProductID: ProductState] {
        let text = Statements.findProducts.text.replacing("from products", with: "from \(table)")
        var states: [ProductID: ProductState] = [:]
        for row in try session.query(Statement(name: "find_\(table)", text: text), Parameters().int64Array(ids)) {
            let (id, state) = try ProductRow.state(row)
            states[id] = state
        }
        return states
    }

    /// Deletes all the rows, then inserts the new ones: codes that moved never meet.
    func replace(_ ids: [Int64], with states: [ProductState], _ session: Session) throws {
        let text = Statements.deleteProducts.text.replacing("from products", with: "from \(table)")
        _ = try session.query(Statement(name: "delete_\(table)", text: text), Parameters().int64Array(ids))
        _ = try insert(states, session)
    }
}
