import LibPQ
import Testing

@Suite("Transactions")
struct TransactionTests {
    private struct Refused: Error {}
    private static let countAll = Statement(name: "count_rows", text: "select count(*) from kept")
    private static let one = Statement(name: "one", text: "select 1::bigint")

    @Test("COMMIT when the body returns, ROLLBACK when it throws")
    func commitAndRollback() async throws {
        try await TestDatabase.withSession { session in
            try session.execute("create temporary table kept (id bigint)")
            try session.transaction { try session.execute("insert into kept values (1)") }
            #expect(throws: Refused.self) {
                try session.transaction {
                    try session.execute("insert into kept values (2)")
                    throw Refused()
                }
            }
            #expect(try session.query(Self.countAll)[0].int64(0) == 1)
        }
    }

    @Test("a swallowed failure does not pass for a commit")
    func swallowedFailure() async throws {
        try await TestDatabase.withSession { session in
            let error = try failure { try session.transaction { try? session.execute("select 1/0") } }
            #expect(error?.code == .transactionAborted)
            #expect(session.transactionStatus == .idle)
        }
    }

    @Test("transactions do not nest")
    func nesting() async throws {
        try await TestDatabase.withSession { session in
            let error = try failure { try session.transaction { try session.transaction {} } }
            #expect(error?.code == .invalidRequest)
        }
    }

    @Test("a connection cut before COMMIT makes its outcome unknown, in a call and in a pipeline")
    func cutAtCommit() async throws {
        for inPipeline in [false, true] {
            let other = Connection(
                configuration: try await TestDatabase.configuration(),
                threadName: "killer",
                logger: TestDatabase.logger
            )
            let victim = Connection(
                configuration: try await TestDatabase.configuration(),
                threadName: "victim",
                logger: TestDatabase.logger
            )
            let process = try await victim.run { session in
                session.backendProcessID
            }
            // The transaction sleeps in a deferred trigger, so that it is killed within COMMIT.
            let outcome = Task {
                try await victim.run { session -> PostgresError? in
                    try session.execute(Self.sleepingCommit)
                    return try failure {
                        if inPipeline {
                            _ = try session.pipeline { pipeline in
                                pipeline.add(Self.one)
                                pipeline.commit()
                            }
                        } else {
                            try session.commit()
                        }
                    }
                }
            }
            try await other.run { session in
                try waitUntil(session, "wait_event = 'PgSleep'", process)
                try session.execute("select pg_terminate_backend(\(process))")
            }
            let error = try await outcome.value
            #expect(error?.code == .commitUnknown)
            await other.shutdown()
            await victim.shutdown()
        }
    }

    @Test("a COMMIT is never cancelled, and after a cancellation nothing is committed")
    func cancelAndCommit() async throws {
        let connection = Connection(
            configuration: try await TestDatabase.configuration(),
            threadName: "commit",
            logger: TestDatabase.logger
        )
        let other = Connection(
            configuration: try await TestDatabase.configuration(),
            threadName: "watch",
            logger: TestDatabase.logger
        )
        let process = try await connection.run { $0.backendProcessID }
        let handle = try await connection.run { $0.cancelHandle }
        let commit = Task {
            try await connection.run { session in
                try session.execute(Self.sleepingCommit.replacing("100", with: "0.5"))
                try session.commit()
            }
        }
        try await other.run { try waitUntil($0, "wait_event = 'PgSleep'", process) }
        #expect(!handle.cancel(), "refused during COMMIT")
        commit.cancel()
        try await commit.value

        let error = try await asyncFailure {
            try await connection.run { session in
                try session.begin()
                session.cancelHandle.cancel()
                try session.commit()
            }
        }
        #expect(error?.code == .cancelled)
        await connection.shutdown()
        await other.shutdown()
    }

    /// Opens a transaction whose COMMIT sleeps.
    private static let sleepingCommit = """
        create temporary table if not exists slow (id bigint);
        create or replace function pg_temp.sleep() returns trigger language plpgsql as
            $$ begin perform pg_sleep(100); return null; end $$;
        create constraint trigger sleep after insert on slow deferrable initially deferred
            for each row execute function pg_temp.sleep();
        commit;
        begin;
        insert into slow values (1)
        """
}

/// Asks `pg_stat_activity` until the process is in the state.
func waitUntil(_ session: Session, _ condition: String, _ process: Int32) throws {
    let statement = Statement(
        name: "activity",
        text: "select count(*), pg_sleep(0.005)::text from pg_stat_activity where pid = $1::integer and \(condition)"
    )
    let deadline = ContinuousClock.now + .seconds(10)
    while try session.query(statement, Parameters().int32(process))[0].int64(0) == 0 {
        if ContinuousClock.now > deadline { throw PostgresError(code: .protocolViolation, message: condition) }
    }
}
