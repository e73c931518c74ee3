import Catalog
import EmbeddedPostgres
import LibPQ
import Testing

@testable import EventLog

@Suite("Partitions of the log")
struct PartitionTests {
    private static let size: Int64 = 65_536

    @Test("appends cross a boundary into partitions that are always two ahead")
    func crossing() async throws {
        try await TestLog.run { test in
            let product = try await test.create("A")
            try Self.fill(test, upTo: Self.size - 5)
            for _ in 0..<10 { try await test.submit(.fetch(product.id)) }
            let ends = try await test.submit(TestLog.patch(product.id, #"{"name":"x"}"#)).position
            #expect(ends == Self.size + 6)
            try Self.ensure(test)
            #expect(try Self.lows(test) == [0, 1, 2, 3].map { $0 * Self.size })
            #expect(try Self.ensure(test) == 0, "there was nothing left to make")
            let counts = try test.asOwner { session in
                try session.rows("select count(*) from events group by tableoid order by tableoid::regclass::text")
                    .map { try $0.int64(0) }
            }
            #expect(counts == [Self.size - 1, 7])
            try test.checkLog()
        }
    }

    @Test("neither an open snapshot nor its reader stops new partitions and appends")
    func openSnapshot() async throws {
        try await TestLog.run { test in
            let product = try await test.create("A")
            let url = test.address.servingConnectionString
            let reader = try Session.open(ConnectionConfiguration(url: url, options: TestLog.options))
            defer { reader.close() }
            try reader.begin(.readOnlySnapshot)
            let seen = try reader.rows("select count(*) from events")[0].int64(0)
            let made = try test.asOwner { session in
                try session.execute("set lock_timeout = '5s'")
                let at = Parameters().int64(Self.size * 9).int32(2)
                return try session.rows("select make_partitions($1::bigint, $2::integer)", at)[0].int32(0)
            }
            #expect(made == 3)
            let fetched = try await test.submit(.fetch(product.id))
            #expect(fetched.position == 3)
            #expect(try await test.create("B").version == 1)
            #expect(try reader.rows("select count(*) from events")[0].int64(0) == seen)
            try reader.commit()
            try test.checkLog()
        }
    }

    @Test("many at once make each partition once")
    func concurrently() async throws {
        try await TestLog.run { test in
            let before = try Self.lows(test).count
            let made = try await withThrowingTaskGroup(of: Int32.self) { group in
                for number in 0..<12 {
                    group.addTask {
                        try await onThread("partitions-\(number)") {
                            try test.asOwner { try $0.rows("select make_partitions(65536 * 20, 4)")[0].int32(0) }
                        }
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(made == 5)
            #expect(try Self.lows(test).count == before + 5)
        }
    }

    /// Appends fetches straight to the table, as the serving role, until the log ends at a position.
    private static func fill(_ test: TestLog, upTo end: Int64) throws {
        try test.asServing { session in
            _ = try session.rows(
                """
                insert into events (position, product_id, recorded_at, user_no, version, type, auth, via, schema,
                    request_id, code)
                select p, product_id, recorded_at + (p - position) * interval '1 microsecond', user_no, version, 5, auth,
                    via, schema, gen_random_uuid(), code
                from events, generate_series(position + 1, $1::bigint) p
                where position = (select max(position) from events)
                """,
                Parameters().int64(end)
            )
        }
    }

    @discardableResult
    private static func ensure(_ test: TestLog) throws -> Int32 {
        try test.asServing { try $0.query(Statements.ensurePartitions, Parameters().int32(2))[0].int32(0) }
    }

    private static func lows(_ test: TestLog) throws -> [Int64] {
        try test.asOwner { session in
            try session.rows(
                """
                select substring(inhrelid::regclass::text from 8)::bigint from pg_inherits
                where inhparent = 'events'::regclass order by 1
                """
            ).map { try $0.int64(0) }
        }
    }
}
