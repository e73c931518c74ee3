import EmbeddedPostgres
import LibPQ
import Testing

@testable import EventLog

@Suite("Events cannot be changed")
struct GuardTests {
    @Test("by UPDATE, DELETE or TRUNCATE, on the log or one of its partitions, as the serving role or the owner")
    func refused() async throws {
        try await TestLog.run { test in
            _ = try await test.create("A")
            let before = try test.events().count
            let tables = try test.asOwner { session in
                try session.rows(
                    "select inhrelid::regclass::text from pg_inherits where inhparent = 'events'::regclass"
                )
                .map { try $0.text(0) }
            }
            #expect(tables.count >= 3)
            for table in ["events"] + tables {
                for change in ["update \(table) set user_no = 1", "delete from \(table)", "truncate \(table)"] {
                    #expect(try refusal { try test.asServing { try $0.execute(change) } } == "42501", "\(change)")
                    #expect(try refusal { try test.asOwner { try $0.execute(change) } } == "RS003", "\(change)")
                }
            }
            #expect(try test.events().count == before)
            try test.checkLog()
        }
    }

    @Test("partitions that are made later are guarded too")
    func laterPartitions() async throws {
        try await TestLog.run { test in
            try test.asOwner { _ = try $0.rows("select make_partitions(1000000, 1)") }
            let name = "events_\(String(repeating: "0", count: 19 - 6))983040"
            for change in ["update \(name) set user_no = 1", "delete from \(name)", "truncate \(name)"] {
                #expect(try refusal { try test.asServing { try $0.execute(change) } } == "42501", "\(change)")
                #expect(try refusal { try test.asOwner { try $0.execute(change) } } == "RS003", "\(change)")
            }
        }
    }

    @Test("nor may the serving role drop, disable or re-own what guards them")
    func servingRole() async throws {
        try await TestLog.run { test in
            let changes = [
                "drop table events", "alter table events disable trigger all",
                "drop trigger events_immutable on events", "create table other (n int)",
                "drop function refuse_event_change() cascade", "set session_replication_role = replica",
                "update log_head set origin = 'x'", "insert into log_head (origin) values ('x')",
                "update users set user_id = 'mallory'", "delete from users",
                "update api_keys set revoked_at = null", "update api_keys set scopes = '{admin}'",
                "delete from api_keys", "delete from writers", "update batches set first_position = 1",
                "update queues set is_built_in = false", "update queues set handle_key = ''",
                "select make_partitions(1, 50)",
                "select swap_products('products', null)", "select grant_serving('public')",
            ]
            for change in changes {
                let state = try refusal { try test.asServing { try $0.execute(change) } }
                #expect(state == "42501", "\(change)")
            }
        }
    }

    private func refusal(_ body: () throws -> Void) throws -> SQLState? {
        do {
            try body()
            return nil
        } catch let error as PostgresError {
            return error.sqlState
        }
    }
}
