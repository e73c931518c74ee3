import LibPQ
import Testing

@Suite("The pool")
struct PoolTests {
    private static func pool(_ limits: Pool.Limits) async throws -> Pool {
        Pool(configuration: try await TestDatabase.configuration(), limits: limits, logger: TestDatabase.logger)
    }

    /// Runs `body` while `count` connections of the pool are held.
    private static func holding(_ count: Int, of pool: Pool, _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count {
                group.addTask { try await pool.withConnection { try $0.execute("select pg_sleep(100)") } }
            }
            while pool.occupancy.leased < count { await Task.yield() }
            try await body()
            group.cancelAll()
            while let result = await group.nextResult() {
                if case .failure(let error as PostgresError) = result { #expect(error.code == .cancelled) }
            }
        }
    }

    @Test("serves many callers with few connections")
    func shares() async throws {
        let pool = try await Self.pool(Pool.Limits(size: 3))
        let processes = try await withThrowingTaskGroup(of: Int32.self) { group in
            for _ in 0..<200 { group.addTask { try await pool.withConnection { $0.backendProcessID } } }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(processes.count <= 3)
        #expect(pool.occupancy == (leased: 0, waiting: 0))
        await pool.shutdown()
    }

    @Test("a caller waits no longer than the limit", .timeLimit(.minutes(1)))
    func waitLimit() async throws {
        let pool = try await Self.pool(Pool.Limits(size: 1, wait: .milliseconds(100)))
        try await Self.holding(1, of: pool) {
            let start = ContinuousClock.now
            let error = try await asyncFailure { try await pool.withConnection { _ in } }
            #expect(error?.code == .poolTimeout)
            #expect(ContinuousClock.now - start >= .milliseconds(100))
            #expect(pool.occupancy.waiting == 0)
        }
        #expect(try await pool.withConnection { $0.isUsable })
        await pool.shutdown()
    }

    @Test("refuses a caller when too many wait", .timeLimit(.minutes(1)))
    func waitingLimit() async throws {
        let pool = try await Self.pool(Pool.Limits(size: 1, wait: .seconds(30), waiting: 1))
        try await Self.holding(1, of: pool) {
            let waiter = Task { try await pool.withConnection { _ in } }
            while pool.occupancy.waiting < 1 { await Task.yield() }
            let refused = try await asyncFailure { try await pool.withConnection { _ in } }
            #expect(refused?.code == .poolQueueFull)
            waiter.cancel()
            let gaveUp = try await asyncFailure { try await waiter.value }
            #expect(gaveUp?.code == .cancelled)
        }
        await pool.shutdown()
    }

    @Test("recovers after its sessions were terminated")
    func terminated() async throws {
        let pool = try await Self.pool(Pool.Limits(size: 2))
        for _ in 0..<3 {
            let error = try await asyncFailure {
                try await pool.withConnection { try $0.execute("select pg_terminate_backend(pg_backend_pid())") }
            }
            #expect(error?.code == .connectionLost)
            #expect(error?.sqlState == .adminShutdown)
            #expect(try await pool.withConnection { $0.isUsable })
        }
        await pool.shutdown()
    }

    @Test("shutdown refuses those who wait and lets what is underway finish", .timeLimit(.minutes(1)))
    func shutdown() async throws {
        let pool = try await Self.pool(Pool.Limits(size: 1))
        let underway = Task { try await pool.withConnection { try $0.execute("select pg_sleep(0.3)") } }
        while pool.occupancy.leased < 1 { await Task.yield() }
        let waiting = Task { try await pool.withConnection { _ in } }
        while pool.occupancy.waiting < 1 { await Task.yield() }
        await pool.shutdown()
        try await underway.value
        #expect(try await asyncFailure { try await waiting.value }?.code == .shutdown)
        #expect(try await asyncFailure { try await pool.withConnection { _ in } }?.code == .shutdown)
    }

    @Test("eight connections asleep in the server leave Swift's threads free", .timeLimit(.minutes(1)))
    func threadsStayFree() async throws {
        let pool = try await Self.pool(Pool.Limits(size: 8))
        try await Self.holding(8, of: pool) {
            let sum = await withTaskGroup(of: Int.self) { group in
                for number in 0..<1000 { group.addTask { number } }
                return await group.reduce(0, +)
            }
            #expect(sum == 499_500)
        }
        await pool.shutdown()
    }

    @Test("gives up connecting within the wait limit, and says why")
    func unreachable() async throws {
        let pool = Pool(
            configuration: ConnectionConfiguration(url: "host=/nowhere"),
            limits: Pool.Limits(size: 1, wait: .milliseconds(300)),
            logger: TestDatabase.logger
        )
        let start = ContinuousClock.now
        #expect(try await asyncFailure { try await pool.withConnection { _ in } }?.code == .connectFailed)
        #expect(ContinuousClock.now - start < .seconds(3))
        await pool.shutdown()
    }

    @Test("lends a connection for a COPY and takes it back when the reader stops")
    func copy() async throws {
        let pool = try await Self.pool(Pool.Limits(size: 1))
        let first = try await pool.copyOut("copy (select generate_series(1, 100000000)) to stdout") { chunks in
            var iterator = chunks.makeAsyncIterator()
            return try await iterator.next()
        }
        #expect(first?.starts(with: Array("1\n2\n".utf8)) == true)
        #expect(try await pool.withConnection { $0.isUsable })
        await pool.shutdown()
    }
}
