import Catalog
import LibPQ
import Testing

@testable import EventLog

@Suite("SQL statements")
struct StatementsTests {
    @Test("all prepare, as the serving role")
    func prepare() async throws {
        try await TestLog.prepared { test in
            #expect(Statements.all.count > 30)
            try test.asServing { try $0.prepare(Statements.all) }
        }
    }

    @Test("hot statements use their index on a filled log")
    func plans() async throws {
        try await TestLog.prepared { test in
            try test.asOwner(Self.fill)
            try test.asServing { session in
                let changes = try Self.partitionIndexes(session, of: "events_change")
                let keys = try Self.partitionIndexes(session, of: "events_pkey")
                let cases: [(statement: Statement, values: [String], indexes: Set<String>)] = [
                    (Statements.findProducts, ["'{1,77,19000}'"], ["products_pkey"]),
                    (Statements.findProductsByCode, ["'{code-7,code-99}'"], ["products_code"]),
                    (Statements.findWantedProducts, ["'{1,77}'", "'{code-7}'"], ["products_code"]),
                    (Statements.warmBatch, ["'{1,77}'", "'{code-7}'", "'{anna}'", "'{1}'"], ["products_code"]),
                    (Statements.listProducts, ["500", "50"], ["products_live"]),
                    (Statements.readEvents, ["100", "300", "100"], keys),
                    (Statements.readPositions, ["100", "300"], keys),
                    (Statements.recordedAt, ["4711"], keys),
                    (Statements.logEnd, [], keys),
                    (Statements.readProductChanges, ["77", "0", "60000", "100"], changes),
                    (Statements.readChangesByProduct, ["77", "100", "60000", "100"], changes),
                ]
                for (statement, values, indexes) in cases {
                    let plan = try Self.plan(session, statement, values)
                    #expect(indexes.contains { plan.contains($0) }, "\(statement.name):\n\(plan)")
                    let scansLog = plan.contains("Seq Scan on events_000") || plan.contains("Seq Scan on products")
                    #expect(!scansLog, "\(statement.name):\n\(plan)")
                }
            }
        }
    }

    /// The plan of a statement with its parameters as literals.
    private static func plan(_ session: Session, _ statement: Statement, _ values: [String]) throws -> String {
        var text = statement.text
        for (index, value) in values.enumerated() { text = text.replacing("$\(index + 1)::", with: "\(value)::") }
        let explain = Statement(name: "explain_\(statement.name)", text: "explain (costs off) \(text)")
        return try session.query(explain).map { try $0.text(0) }.joined(separator: "\n")
    }

    private static func partitionIndexes(_ session: Session, of index: String) throws -> Set<String> {
        let rows = try session.rows(
            "select inhrelid::regclass::text from pg_inherits where inhparent = $1::text::regclass",
            Parameters().text(index)
        )
        return Set(try rows.map { try $0.text(0) })
    }

    /// 20,000 products and 60,000 events of theirs, a third of them changes.
    private static func fill(_ session: Session) throws {
        try session.execute(
            """
            insert into users (user_id, key, actor) values ('u', decode(repeat('00', 32), 'hex'), decode(repeat('01', 32), 'hex'));
            insert into products select n, 1, 'code-' || n, 'name ' || n, 'model', n, null, null, now(), now(), n % 50 = 0
            from generate_series(1, 20000) n;
            insert into events (position, product_id, recorded_at, user_no, version, type, auth, via, schema, request_id, code)
            select n, n % 20000 + 1, now() + n * interval '1 microsecond', 1, 1, case when n % 3 = 0 then 1 else 5 end,
                1, 1, 1, gen_random_uuid(), 'code-' || n
            from generate_series(1, 60000) n;
            analyze products, events, users, api_keys
            """
        )
    }
}
