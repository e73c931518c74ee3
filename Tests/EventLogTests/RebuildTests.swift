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
                let report = try ProjectionRebuild(session: session, table: "then").build(upTo: then)
                #expect(report.rows == 1 && report.events == 1 && report.position == then && report.faults.isEmpty)
                return try session.rows("select name from \"then\"").only().text(0)
            }
            #expect(name == product.name)
            try test.checkLog()
        }
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
            let rebuild = ProjectionRebuild(session: session)
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
