import EmbeddedPostgres
import LibPQ
import Logging
import ServiceLifecycle
import TestSupport
import Testing

@testable import EventLog

@Suite("Vacuum of the tables whose rows live briefly")
struct TableVacuumTests {
    @Test("such a table stays small though autovacuum is off, for it is vacuumed")
    func flat() async throws {
        try await Self.withQuietTables { test in
            let sizes = try test.asOwner { session in
                try Self.sizes(session, rounds: 8) { session in
                    var plan = VacuumPlan()
                    let pass = try TableVacuum.vacuum(session, &plan)
                    #expect(pass == .vacuumed(["rastro.batches"]))
                }
            }
            #expect(sizes.allSatisfy { $0 < 2 * sizes[0] }, "\(sizes)")
            let without = try test.asOwner { try Self.sizes($0, rounds: 4) { _ in } }
            #expect(without[3] > 2 * sizes[0], "rows that nobody vacuums take no place: \(without)")
        }
    }

    @Test("a table with few dead rows is left alone")
    func fewDeadRows() async throws {
        try await Self.withQuietTables { test in
            try test.asOwner { session in
                try Self.turnOver(session, rows: 100)
                var plan = VacuumPlan()
                #expect(try TableVacuum.vacuum(session, &plan) == .vacuumed([]))
            }
        }
    }

    @Test("the serving role may not vacuum, and is told so")
    func servingRole() async throws {
        try await Self.withQuietTables { test in
            try test.asOwner { session in
                let isAllowed = try TableVacuum.isAllowed(session)
                #expect(isAllowed)
                try Self.turnOver(session, rows: 2_000)
            }
            try test.asServing { session in
                var plan = VacuumPlan()
                let (pass, isAllowed) = (try TableVacuum.vacuum(session, &plan), try TableVacuum.isAllowed(session))
                #expect(pass == .denied)
                #expect(!isAllowed)
            }
        }
    }

    @Test("of two processes one vacuums, and the next may once it is done")
    func oneAtATime() async throws {
        try await Self.withQuietTables { test in
            try test.asOwner { other in
                try Self.turnOver(other, rows: 2_000)
                try other.execute("select pg_advisory_lock(\(TableVacuum.lockKey))")
                try test.asOwner { session in
                    var plan = VacuumPlan()
                    #expect(try TableVacuum.vacuum(session, &plan) == .elsewhere)
                    try other.execute("select pg_advisory_unlock(\(TableVacuum.lockKey))")
                    #expect(try TableVacuum.vacuum(session, &plan) == .vacuumed(["rastro.batches"]))
                }
                let free = try other.rows("select pg_try_advisory_lock(\(TableVacuum.lockKey))")
                #expect(try free[0].bool(0), "the first kept the lock")
            }
        }
    }

    @Test("dead rows that a snapshot keeps are not gone over again at once")
    func heldSnapshot() async throws {
        try await Self.withQuietTables { test in
            let url = test.address.servingConnectionString
            let reader = try Session.open(ConnectionConfiguration(url: url, options: TestLog.options))
            defer { reader.close() }
            try reader.begin(.readOnlySnapshot)
            _ = try reader.rows("select count(*) from batches")
            try test.asOwner { session in
                try Self.turnOver(session, rows: 2_000)
                // Slow, so that a second look surely comes within ten times its duration.
                try session.execute("set vacuum_cost_delay = 2")
                try session.execute("set vacuum_cost_limit = 1")
                try session.execute("set vacuum_cost_page_hit = 20")
                var plan = VacuumPlan()
                #expect(try TableVacuum.vacuum(session, &plan) == .vacuumed(["rastro.batches"]))
                #expect(try TableVacuum.vacuum(session, &plan) == .vacuumed([]))
                try reader.commit()
                var fresh = VacuumPlan()
                #expect(try TableVacuum.vacuum(session, &fresh) == .vacuumed(["rastro.batches"]))
                #expect(try TableVacuum.vacuum(session, &fresh) == .vacuumed([]))
            }
        }
    }

    @Test("shutdown does not wait for a long VACUUM")
    func shutdown() async throws {
        try await Self.withQuietTables { test in
            try test.asOwner { try Self.turnOver($0, rows: 20_000) }
            var configuration = ConnectionConfiguration(
                url: test.address.ownerConnectionString,
                applicationName: "slow vacuum",
                options: TestLog.options
            )
            configuration.options += [("vacuum_cost_delay", "100"), ("vacuum_cost_limit", "1")]
            let vacuum = TableVacuum(connection: configuration, interval: .milliseconds(10), logger: TestLog.logger)
            let group = ServiceGroup(services: [vacuum], logger: TestLog.logger)
            let took = try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                try await Self.untilVacuuming(test)
                let start = ContinuousClock.now
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
                return ContinuousClock.now - start
            }
            #expect(took < .seconds(5))
        }
    }

    @Test("what is due depends on dead rows, and after one in vain on its duration")
    func plan() {
        func table(_ dead: Int64) -> VacuumPlan.Table {
            VacuumPlan.Table(name: "t", dead: dead, threshold: 100, isAllowed: true)
        }
        let start = ContinuousClock.now
        let end = start + .seconds(1)
        var plan = VacuumPlan()
        #expect(!plan.isDue(table(99), at: start))
        #expect(plan.isDue(table(100), at: start))
        plan.tried(table(100), from: start, to: end)
        #expect(!plan.isDue(table(100), at: end + .seconds(9)), "one that failed is not repeated at once")
        #expect(plan.isDue(table(100), at: end + .seconds(10)))
        plan.left(table(100))
        #expect(!plan.isDue(table(500), at: end + .seconds(9)), "somebody keeps the rows")
        plan.left(table(99))
        #expect(plan.isDue(table(100), at: end))
    }
}

// MARK: - Tables

extension TableVacuumTests {
    /// A log whose brief tables nobody else vacuums, with a low threshold.
    private static func withQuietTables(_ body: @Sendable (TestLog) async throws -> Void) async throws {
        try await TestLog.prepared { test in
            try test.asOwner { session in
                try session.execute(
                    "alter table batches set (autovacuum_enabled = off, autovacuum_vacuum_threshold = 1000)"
                )
            }
            try await body(test)
        }
    }

    /// Rows come and go; their number is known to the statistics afterwards.
    private static func turnOver(_ session: Session, rows: Int) throws {
        try session.execute(
            """
            insert into batches (writer_no, number, first_position, last_position, committed_at)
            select 1, n, n, n, clock_timestamp() from generate_series(1, \(rows)) n
            """
        )
        try session.execute("delete from batches")
        try session.execute("select pg_stat_force_next_flush()")
    }

    /// The table's bytes after each round of rows that come and go, and of `body`.
    private static func sizes(_ session: Session, rounds: Int, _ body: (Session) throws -> Void) throws -> [Int64] {
        try (0..<rounds).map { _ in
            try turnOver(session, rows: 2_000)
            try body(session)
            return try session.rows("select pg_total_relation_size('batches')")[0].int64(0)
        }
    }

    private static func untilVacuuming(_ test: TestLog) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        let isVacuuming = "select exists (select from pg_stat_progress_vacuum where datname = current_database())"
        while try !test.asOwner({ try $0.rows(isVacuuming)[0].bool(0) }) {
            try #require(ContinuousClock.now < deadline, "no VACUUM began")
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
