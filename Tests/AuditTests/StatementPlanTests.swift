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

    /// Each statement, its parameters, and the index of the events that it must go through.
    private static let expected: [(name: String, values: String, index: String)] = [
        ("audit_scan_product", filter, product),
        ("audit_scan_changes", filter, changes),
        ("audit_scan_users", filter, user),
        ("audit_scan_label", filter, label),
        ("audit_scan_positions", filter, key),
        ("audit_count_viewers", "1, 0, 1000, 100", product),
        ("audit_read_events", "array[1, 2]", key),
        ("audit_recorded_at", "array[1, 2]", key),
        ("audit_log_end", "", key),
    ]
    private static let filter =
        "1, array[1, 2], array[1, 2]::smallint[], '{}', '{}', '{}', 'busy', null, 0, 1000, false, 100"
    private static let key = #"("position")"#
    private static let product = #"(product_id, "position")"#
    private static let changes = #"(product_id, "position") WHERE (type <= 4)"#
    private static let user = #"(user_no, "position")"#
    private static let label = #"(request_label, "position") WHERE (request_label IS NOT NULL)"#

    @Test func aStatementReadsEventsThroughItsOwnIndexOnly() async throws {
        try await TestLog.run { test in
            let session = try await test.fill()
            defer { session.close() }
            for (name, values, index) in Self.expected {
                let plan = try Self.genericPlan(of: name, values, session)
                #expect(plan.indexes == [index] && !plan.readsWholeTable, "\(name)\n\(plan.text)")
            }
        }
    }

    @Test func aPlanWithoutItsIndexIsNoticed() async throws {
        try await TestLog.run { test in
            let session = try await test.fill()
            defer { session.close() }
            func plan(_ name: String) throws -> Plan {
                let found = try #require(Self.expected.first { $0.name == name })
                return try Self.genericPlan(of: name, found.values, session)
            }
            try session.execute("drop index events_change")
            #expect(try plan("audit_scan_changes").indexes == [Self.product])
            try session.execute("drop index events_product")
            #expect(try !plan("audit_scan_product").indexes.contains(Self.product))
            try session.execute("drop index events_user; alter table events drop constraint events_pkey")
            #expect(try plan("audit_read_events").readsWholeTable)
        }
    }

    /// What PostgreSQL does when it knows no values: the plan that serves in the long run, of both directions.
    private static func genericPlan(of name: String, _ values: String, _ session: Session) throws -> Plan {
        let statement = try #require(AuditStatements.all.first { $0.name == name })
        try session.execute("set plan_cache_mode = force_generic_plan")
        try session.execute("prepare plan_\(name) as \(statement.text)")
        let execution = "execute plan_\(name)\(values.isEmpty ? "" : "(\(values))")"
        let explain = Statement(name: "explain_\(name)", text: "explain (costs off) \(execution)")
        return Plan(try session.query(explain).map { try $0.text(0) }, try definitions(session))
    }

    /// What each index of the events' partitions is made of: its key and its condition.
    private static func definitions(_ session: Session) throws -> [String: String] {
        let statement = Statement(
            name: "index_definitions",
            text: """
                select indexname::text, substring(indexdef from ' USING btree (.*)$') from pg_indexes
                where schemaname = current_schema() and tablename like 'events%'
                """
        )
        var definitions: [String: String] = [:]
        for row in try session.query(statement) { definitions[try row.text(0)] = try row.text(1) }
        return definitions
    }

    /// What a plan reads events through.
    private struct Plan {
        let text: String
        /// The definitions of the events' indexes in it.
        private(set) var indexes: Set<String> = []
        /// Whether it reads the partition that holds the events from end to end; the empty ones are read as they come.
        let readsWholeTable: Bool

        init(_ lines: [String], _ definitions: [String: String]) {
            text = lines.joined(separator: "\n")
            readsWholeTable = lines.contains { $0.contains("Seq Scan on events_0000000000000000000") }
            for line in lines where line.contains("Index") {
                let words = line.split(separator: " ")
                let before = words.firstIndex(of: "using") ?? words.firstIndex(of: "on")
                guard let before, words.indices.contains(before + 1) else { continue }
                if let definition = definitions[String(words[before + 1])] { indexes.insert(definition) }
            }
        }
    }
}

extension TestLog {
    /// Fills the log with as many events as it takes for an index to be worth its while: one product in four is busy, and
    /// one event in a thousand bears a label. Returns the owner's session.
    fileprivate func fill() async throws -> Session {
        try await create("BUSY")
        let session = try Session.open(
            ConnectionConfiguration(
                url: database.ownerConnectionString,
                options: [(name: "search_path", value: "\(Migrator.schema), pg_temp")]
            )
        )
        try session.execute(
            """
            insert into events (position, product_id, recorded_at, user_no, version, type, auth, via, schema, request_id,
                request_label)
            select p, case when p % 4 = 0 then 1 else p % 5000 end, clock_timestamp(), p % 500, 1,
                case when p % 50 = 0 then 2 else 5 end, 1, 1, 1,
                case when p % 1000 <> 0 then gen_random_uuid() end, case when p % 1000 = 0 then 'label-' || p % 10000 end
            from generate_series(100, 60000) p;
            analyze events
            """
        )
        return session
    }
}
