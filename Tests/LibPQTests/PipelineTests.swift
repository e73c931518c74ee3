import LibPQ
import Testing

@Suite("Pipelines")
struct PipelineTests {
    private static let number = Statement(name: "number", text: "select $1::bigint")
    private static let divide = Statement(name: "divide", text: "select 100 / $1::bigint")
    private static let fill = Statement(name: "fill", text: "select repeat('x', $1::integer), $2::text")
    private static let insert = Statement(name: "insert_probe", text: "insert into probe values ($1::bigint)")
    private static let countAll = Statement(name: "count_probe", text: "select count(*) from probe")

    private static func makeTable(_ session: Session) throws {
        try session.execute("create temporary table probe (id bigint primary key deferrable initially deferred)")
    }

    @Test("answers come in the order of the statements")
    func order() async throws {
        try await TestDatabase.withSession { session in
            for _ in 0..<2 {
                let answer = try session.pipeline { pipeline in
                    for number in 0..<100 as Range<Int64> { pipeline.add(Self.number, Parameters().int64(number)) }
                }
                #expect(try answer.map { try $0[0].int64(0) } == Array(0..<100))
            }
            #expect(try session.pipeline { _ in }.isEmpty)
        }
    }

    @Test("a failure names its statement, undoes the others, and leaves the session usable")
    func failureIsIsolated() async throws {
        try await TestDatabase.withSession { session in
            try Self.makeTable(session)
            for _ in 0..<2 {
                let error = try failure {
                    _ = try session.pipeline { pipeline in
                        pipeline.add(Self.insert, Parameters().int64(1))
                        pipeline.add(Self.divide, Parameters().int64(0))
                        pipeline.add(Self.number, Parameters().int64(7))
                    }
                }
                #expect(error?.code == .server)
                #expect(error?.sqlState == "22012")
                #expect(error?.statementIndex == 1)
                #expect(error?.statementName == "divide")
                #expect(session.transactionStatus == .idle)
                #expect(session.isUsable)
                #expect(try session.query(Self.countAll)[0].int64(0) == 0)
            }
        }
    }

    @Test("a statement that cannot be prepared fails like one that cannot be run")
    func unpreparable() async throws {
        let wrong = Statement(name: "wrong_table", text: "select * from no_such_table")
        try await TestDatabase.withSession { session in
            let error = try failure {
                _ = try session.pipeline { pipeline in
                    pipeline.add(Self.number, Parameters().int64(7))
                    pipeline.add(wrong)
                }
            }
            #expect(error?.sqlState == .undefinedTable)
            #expect(error?.statementIndex == 1)
            #expect(try session.query(Self.number, Parameters().int64(1)).count == 1)
        }
    }

    @Test("a transaction over two pipelines, committed in the second")
    func transactionInTwoTrips() async throws {
        try await TestDatabase.withSession { session in
            try Self.makeTable(session)
            let first = try session.pipeline { pipeline in
                pipeline.begin()
                pipeline.add(Self.countAll)
            }
            #expect(first.count == 1)
            #expect(session.transactionStatus == .inTransaction)
            let second = try session.pipeline { pipeline in
                pipeline.add(Self.insert, Parameters().int64(5))
                pipeline.commit()
            }
            #expect(second.map(\.affectedRows) == [1])
            #expect(session.transactionStatus == .idle)
            #expect(try session.query(Self.countAll)[0].int64(0) == 1)
        }
    }

    @Test("a transaction that fails in its pipeline is rolled back")
    func failedTransaction() async throws {
        try await TestDatabase.withSession { session in
            try Self.makeTable(session)
            let error = try failure {
                _ = try session.pipeline { pipeline in
                    pipeline.begin()
                    pipeline.add(Self.insert, Parameters().int64(5))
                    pipeline.add(Self.divide, Parameters().int64(0))
                    pipeline.commit()
                }
            }
            #expect(error?.statementIndex == 1)
            #expect(session.transactionStatus == .idle)
            #expect(try session.query(Self.countAll)[0].int64(0) == 0)
        }
    }

    @Test("a COMMIT that a deferred constraint refuses is a server error, and the session goes on")
    func refusedCommit() async throws {
        try await TestDatabase.withSession { session in
            try Self.makeTable(session)
            let error = try failure {
                _ = try session.pipeline { pipeline in
                    pipeline.begin()
                    pipeline.add(Self.insert, Parameters().int64(5))
                    pipeline.add(Self.insert, Parameters().int64(5))
                    pipeline.commit()
                }
            }
            #expect(error?.code == .server)
            #expect(error?.sqlState == .uniqueViolation)
            #expect(error?.constraint == "probe_pkey")
            #expect(session.transactionStatus == .idle)
        }
    }

    @Test("a batch far larger than the socket's buffers, both ways, does not deadlock", .timeLimit(.minutes(1)))
    func largeBatch() async throws {
        try await TestDatabase.withSession { session in
            let text = String(repeating: "y", count: 50_000)
            let answer = try session.pipeline { pipeline in
                for _ in 0..<400 { pipeline.add(Self.fill, Parameters().int32(50_000).text(text)) }
            }
            #expect(answer.count == 400)
            #expect(try answer.allSatisfy { try $0[0].text(0).utf8.count == 50_000 && $0[0].text(1) == text })
        }
    }

    @Test("wrong parameters stop the pipeline before anything takes effect")
    func wrongParameters() async throws {
        try await TestDatabase.withSession { session in
            _ = try session.query(Self.number, Parameters().int64(1))
            let early = try failure {
                _ = try session.pipeline { $0.add(Self.number, Parameters().text("no")) }
            }
            #expect(early?.code == .invalidRequest)
            #expect(session.isUsable, "nothing had been sent")
            let late = try failure {
                _ = try session.pipeline { pipeline in
                    pipeline.add(Self.number, Parameters().int64(1))
                    pipeline.add(Self.number, Parameters().text("no"))
                }
            }
            #expect(late?.code == .invalidRequest)
            #expect(late?.statementIndex == 1)
            #expect(!session.isUsable)
        }
    }
}

@Suite("Preparing")
struct PrepareTests {
    @Test("reports every statement that fails, and prepares the others")
    func allFailures() async throws {
        let good = Statement(name: "good", text: "select $1::text")
        let bad = [
            Statement(name: "bad_table", text: "select * from no_such_table"),
            Statement(name: "bad_syntax", text: "selec 1"),
        ]
        try await TestDatabase.withSession { session in
            do {
                try session.prepare([bad[0], good, bad[1]])
                Issue.record("nothing was thrown")
            } catch let error as PrepareFailures {
                #expect(error.failures.map(\.statement) == bad)
                #expect(error.failures.map(\.error.sqlState) == [.undefinedTable, .syntaxError])
            }
            #expect(try session.query(good, Parameters().text("x"))[0].text(0) == "x")
            try session.prepare([good])
        }
    }

    @Test("two statements of one name and different texts are refused")
    func nameClash() async throws {
        try await TestDatabase.withSession { session in
            _ = try session.query(Statement(name: "same", text: "select 1"))
            let error = try failure { _ = try session.query(Statement(name: "same", text: "select 2")) }
            #expect(error?.code == .invalidRequest)
        }
    }

    @Test("rows can be read one at a time, and the reading stopped")
    func streaming() async throws {
        struct Enough: Error {}
        let series = Statement(name: "series", text: "select generate_series(1::bigint, $1::bigint)")
        try await TestDatabase.withSession { session in
            var sum: Int64 = 0
            try session.stream(series, Parameters().int64(1000)) { sum += try $0.int64(0) }
            #expect(sum == 500_500)
            #expect(throws: Enough.self) {
                try session.stream(series, Parameters().int64(100_000_000)) { row in
                    if try row.int64(0) == 10 { throw Enough() }
                }
            }
            #expect(session.isUsable)
            #expect(try session.query(series, Parameters().int64(2)).count == 2)
        }
    }
}
