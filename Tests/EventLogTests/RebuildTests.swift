import Catalog
import LibPQ
import Synchronization
import Testing

@testable import EventLog

@Suite("Rebuilding the products")
struct RebuildTests {
    @Test("finds rows that were edited, removed or added by hand, and heals them while commits go on")
    func heals() async throws {
        try await TestLog.run { test in
            var made: [Product] = []
            for number in 0..<30 { made.append(try await test.create("R-\(number)")) }
            try await test.submit(TestLog.patch(made[3].id, #"{"price":12.5}"#))
            try await test.submit(.command(.delete(made[4].id, .none)))
            try Self.damage(test, different: made[0].id, missing: made[1].id, extra: 5_000)
            let extra: ProductID = try #require(ProductID(5_000))
            let expected: [ProjectionWalk.Drift] = [
                .init(id: made[0].id, kind: .different), .init(id: made[1].id, kind: .missing),
                .init(id: extra, kind: .extra),
            ]
            #expect(try test.drift() == expected)

            let owner = try test.second(asOwner: true)
            let healthy = made[10...].map(\.id)
            try await TestLog.running(owner) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        for id in healthy {
                            let outcome = try await test.submit(TestLog.patch(id, #"{"name":"meanwhile"}"#))
                            #expect(outcome.changed == true)
                        }
                    }
                    group.addTask { try await Self.rebuild(test, through: owner, expecting: expected) }
                    try await group.waitForAll()
                }
            }
            await owner.readers.shutdown()
            let healed = try await test.submit(.fetch(made[0].id))
            #expect(healed.product == made[0])
            #expect(try await test.submit(.fetch(made[1].id)).product == made[1])
            #expect(try await test.submit(.fetch(extra)).rejection == .notFound(extra))
            let told = try test.events().first { $0.type == .operated }?.data.map {
                String(decoding: $0, as: UTF8.self)
            }
            #expect(told?.contains(#""different":1"#) == true && told?.contains(#""missing":1"#) == true)
            try test.checkLog()
        }
    }

    @Test("is swapped in within the server's patience while another committer is never idle", .timeLimit(.minutes(2)))
    func underConstantLoad() async throws {
        try await TestLog.run { test in
            let product = try await test.create("busy")
            let owner = try test.second(asOwner: true, patience: .seconds(3))
            let end = EndOfLoad()
            try await TestLog.running(owner) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<16 {
                        group.addTask {
                            while !end.isReached.load(ordering: .acquiring) {
                                try await test.submit(.fetch(product.id))
                            }
                        }
                    }
                    defer { end.isReached.store(true, ordering: .releasing) }
                    try await Self.rebuild(test, through: owner, expecting: [])
                    end.isReached.store(true, ordering: .releasing)
                    try await group.waitForAll()
                }
            }
            await owner.readers.shutdown()
            try test.checkLog()
        }
    }

    @Test("a projection of the past holds what stood then and is not swapped in")
    func past() async throws {
        try await TestLog.run { test in
            let product = try await test.create("P")
            let then = try #require(try await test.submit(.fetch(product.id)).position)
            try await test.submit(TestLog.patch(product.id, #"{"name":"later"}"#))
            _ = try await test.create("Q")
            let name = try test.asOwner { session in
                let report = try ProjectionRebuild(session: session, into: "products_then").build(upTo: then)
                #expect(report.rows == 1 && report.events == 1 && report.position == then && report.faults.isEmpty)
                return try session.rows("select name from products_then").only().text(0)
            }
            #expect(name == product.name)
            try test.checkLog()
        }
    }

    @Test("no table but the rebuild's own is ever dropped or overwritten")
    func foreignTables() async throws {
        try await TestLog.run { test in
            _ = try await test.create("P")
            try test.asOwner { session in
                for name in ["events", "users", "products", "Products_X", "products_x; drop table users", "products-x"]
                {
                    #expect(throws: ProjectionRebuild.Failure.badName(name)) {
                        _ = try ProjectionRebuild(session: session, into: name)
                    }
                }
                try session.execute("create table products_mine (n int); create table products_rebuild (n int)")
                let mine = try ProjectionRebuild(session: session, into: "products_mine")
                #expect(throws: ProjectionRebuild.Failure.tableExists("products_mine")) { _ = try mine.build() }
                let unnamed = try ProjectionRebuild(session: session)
                #expect(throws: ProjectionRebuild.Failure.tableExists("products_rebuild")) { _ = try unnamed.build() }
                try session.execute("select n from products_mine; select n from products_rebuild")
            }
            try test.checkLog()
        }
    }

    @Test("two rebuilds at once: the second is refused, and what a broken one left is taken over")
    func twoAtOnce() async throws {
        try await TestLog.run { test in
            _ = try await test.create("P")
            _ = try test.asOwner { first in
                _ = try ProjectionRebuild(session: first).build()
                _ = try test.asOwner { second in
                    #expect(throws: ProjectionRebuild.Failure.underWay) {
                        _ = try ProjectionRebuild(session: second).build()
                    }
                }
            }
            let rows = try test.asOwner { third in try ProjectionRebuild(session: third).build().rows }
            #expect(rows == 1)
        }
    }

    @Test("codes that move between products while pages are read, and the indexes keep their names")
    func movingCodes() async throws {
        try await TestLog.run { test in
            let owner = try test.second(asOwner: true)
            try await TestLog.running(owner) {
                var products: [Product] = []
                for number in 0..<12 { products.append(try await test.create("M-\(number)")) }
                for round in 0..<2 {
                    let act = try test.asOwner { session in
                        let rebuild = try ProjectionRebuild(session: session, pageSize: 2)
                        let report = try rebuild.build { events in
                            // Between two pages: the first product gives its code up, the last takes it.
                            guard events <= 2 else { return }
                            try? test.asServing { try Self.moveCode(products, round: round, $0) }
                        }
                        #expect(report.drift.isEmpty && report.faults.isEmpty)
                        return rebuild.swap(report, keepAs: "products_old_\(round)")
                    }
                    let context = try #require(RequestContext.commandLine(role: "tester"))
                    _ = try await owner.submit(.act(act), context: context)
                }
                let names = try test.asOwner { session in
                    try session.rows(
                        "select indexname::text from pg_indexes where tablename = 'products' order by 1"
                    ).map { try $0.text(0) }
                }
                #expect(names == ["products_code", "products_expiry", "products_live", "products_pkey"])
            }
            await owner.readers.shutdown()
            try test.checkLog()
        }
    }

    /// As a committer would: events and rows in one transaction under the head's lock.
    private static func moveCode(_ products: [Product], round: Int, _ session: Session) throws {
        let (from, to) = round == 0 ? (products[0], products[11]) : (products[11], products[0])
        let parked = "PARKED-\(round)"
        let taken = round == 0 ? from.code : products[0].code
        try session.transaction {
            try session.execute("select 1 from log_head for update")
            try change(from.id, code: parked, session)
            try change(to.id, code: taken, session)
        }
    }

    private static func change(_ id: ProductID, code: String, _ session: Session) throws {
        let row = try session.rows(
            "select code, version from products where id = $1::bigint",
            Parameters().int64(id.rawValue)
        ).only()
        let data = "{\"code\":{\"from\":\"\(try row.text(0))\",\"to\":\"\(code)\"}}"
        _ = try session.rows(
            """
            insert into events (position, product_id, recorded_at, user_no, version, type, auth, via, schema,
                request_id, code, data_salt, data)
            select position + 1, $1::bigint, greatest(clock_timestamp(), recorded_at + interval '1 microsecond'), 1,
                $2::integer, 2, 5, 11, 1, gen_random_uuid(), $3::text, '\\x00'::bytea, $4::text::json
            from events order by position desc limit 1
            """,
            Parameters().int64(id.rawValue).int32(try row.int32(1) + 1).text(code).text(data)
        )
        _ = try session.rows(
            """
            update products set code = $2::text, version = version + 1,
                updated_at = (select recorded_at from events order by position desc limit 1)
            where id = $1::bigint
            """,
            Parameters().int64(id.rawValue).text(code)
        )
    }

    @Test("a rebuild of an undamaged projection reports no drift")
    func undamaged() async throws {
        try await TestLog.run { test in
            for number in 0..<5 { _ = try await test.create("U-\(number)") }
            let report = try test.asOwner { try ProjectionRebuild(session: $0).build() }
            #expect(report.drift.isEmpty && report.rows == 5 && report.events == 5 && report.position == 6)
        }
    }

    @Sendable
    private static func rebuild(
        _ test: TestLog,
        through log: EventLog,
        expecting drift: [ProjectionWalk.Drift]
    ) async throws {
        let act = try test.asOwner { session in
            let rebuild = try ProjectionRebuild(session: session)
            let report = try rebuild.build()
            #expect(report.drift == drift && report.faults.isEmpty)
            for kind in [ProjectionWalk.Drift.Kind.missing, .extra, .different] {
                #expect(report.count(kind) == drift.count { $0.kind == kind })
            }
            return rebuild.swap(report, keepAs: "products_damaged")
        }
        let context = try #require(RequestContext.commandLine(role: "tester"))
        let outcome = try await log.submit(.act(act), context: context)
        #expect(outcome.position != nil)
    }

    private static func damage(_ test: TestLog, different: ProductID, missing: ProductID, extra: Int64) throws {
        try test.asOwner { session in
            _ = try session.rows(
                "update products set price = price + 1 where id = $1::bigint",
                Parameters().int64(different.rawValue)
            )
            _ = try session.rows("delete from products where id = $1::bigint", Parameters().int64(missing.rawValue))
            _ = try session.rows(
                """
                insert into products select $1::bigint, 1, 'nowhere', 'n', 'm', 1, null, null, now(), now(), false
                """,
                Parameters().int64(extra)
            )
        }
    }
}

/// Tells the tasks that make load to stop.
private final class EndOfLoad: Sendable {
    let isReached = Atomic(false)
}
