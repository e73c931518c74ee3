import Audit
import Catalog
import EmbeddedPostgres
import EventLog
import LibPQ
import TestSupport
import Testing

/// The plans of the hot statements: each index leads its own statement, whatever the direction.
@Suite struct StatementPlanTests {
    @Test func everyStatementFitsTheSchema() async throws {
        try await TestLog.run { test in
            try await test.log.readers.withConnection { session in try session.prepare(AuditStatements.all) }
        }
    }

    @Test(
        arguments: [
            ("audit_scan_product", "product_id_position_idx"),
            ("audit_scan_changes", "product_id_position_idx1"),
            ("audit_scan_users", "user_no_position_idx"),
            ("audit_scan_label", "request_label_position_idx"),
            ("audit_scan_positions", "pkey"),
            ("audit_count_viewers", "product_id_position_idx"),
            ("audit_read_events", "pkey"),
        ]
    )
    func aStatementUsesItsIndex(name: String, index: String) async throws {
        try await TestLog.run { test in
            // One busy product and many others, so that an index is worth its while.
            let busy = try await test.create("BUSY")
            for _ in 0..<300 { try await test.fetch(busy.id, as: "ana", request: .label("busy")) }
            for number in 0..<300 { try await test.create("C\(number)", as: "user\(number % 30)") }
            let statement = try #require(AuditStatements.all.first { $0.name == name })
            for newestFirst in [false, true] {
                let plan = try await test.log.readers.withConnection { session in
                    try Self.genericPlan(of: statement, newestFirst: newestFirst, session)
                }
                #expect(plan.contains(index), "\(plan)")
                #expect(!plan.contains("Seq Scan on events"), "\(plan)")
            }
        }
    }

    /// What PostgreSQL does when it knows no values: the plan that serves in the long run.
    private static func genericPlan(of statement: Statement, newestFirst: Bool, _ session: Session) throws -> String {
        try session.execute("set plan_cache_mode = force_generic_plan; set enable_seqscan = off")
        try session.execute("prepare plan_\(newestFirst) as \(statement.text)")
        let values =
            switch statement.name {
            case "audit_count_viewers": "1, 0, 1000, 100"
            case "audit_read_events": "array[1, 2]"
            default:
                "1, array[1, 2], array[1, 2]::smallint[], '{}', '{}', '{}', 'busy', null, 0, 1000, \(newestFirst), 100"
            }
        let explain = Statement(
            name: "explain_\(newestFirst)",
            text: "explain (costs off) execute plan_\(newestFirst)(\(values))"
        )
        return try session.query(explain).map { try $0.text(0) }.joined(separator: "\n")
    }
}
