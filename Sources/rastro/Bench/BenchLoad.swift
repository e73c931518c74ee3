import EventLog
import Foundation
import Gateway
import LibPQ

/// Figures of a server under load by many clients.
struct BenchLoad: Sendable {
    let catalogue: BenchCatalogue
    let tools: BenchTools
    let plan: BenchPlan

    private static let connections = 64
    private static let poolSizes = [1, 2, 4, 8, 16, 32, 64]
    private static let clientCounts = [1, 2, 4, 8, 16, 32]
    private static let connectionCounts = [32, 64, 128, 256]
    private static let auditedPath = "/v1/products/"

    private var stage: BenchStage { catalogue.stage }

    /// Audited beside unaudited fetches of the same server, the latter through the pool size that serves them best.
    func measureFetches() async throws -> BenchFigure {
        Terminal.note("GET by \(Self.connections) connections, audited and unaudited in turns")
        let script = try write(BenchScripts.fetch, to: "fetch.lua")
        let pools = Self.poolSizes.map { size in
            Pool(
                configuration: ConnectionConfiguration(
                    url: catalogue.access.database.servingURL,
                    options: [("search_path", "\(Migrator.schema), pg_temp"), ("jit", "off")]
                ),
                limits: Pool.Limits(size: size, wait: .seconds(10), waiting: 10_000),
                name: "bench-\(size)",
                logger: stage.logger
            )
        }
        let sources = zip(Self.poolSizes, pools).map { UnauditedSource(name: Self.poolName($0), pool: $1) }
        let figure = try await stage.withServer(catalogue.access, roles: plan.roles, unaudited: sources) { server in
            let fetch: @Sendable (String, Int, Int) async throws -> BenchTools.Load = { path, seconds, seed in
                try await tools.load(
                    server,
                    script: script,
                    key: catalogue.key,
                    connections: Self.connections,
                    seconds: seconds,
                    arguments: catalogue.range + ["\(seed)", path]
                )
            }
            _ = try await fetch(Self.auditedPath, plan.seconds, 1)
            let size = try await best(of: Self.poolSizes, "unaudited through a pool of", "connections") { size in
                let path = UnauditedSource.path(name: Self.poolName(size))
                _ = try await fetch(path, 1, 2)
                return try await fetch(path, 3, 3).perSecond
            }
            return try await compareFetches(withPoolOf: size, fetch)
        }
        for pool in pools { await pool.shutdown() }
        return figure
    }

    private func compareFetches(
        withPoolOf size: Int,
        _ fetch: (String, Int, Int) async throws -> BenchTools.Load
    ) async throws -> BenchFigure {
        var audited: [BenchTools.Load] = []
        var unaudited: [BenchTools.Load] = []
        for round in 0..<plan.rounds {
            try await stage.settle()
            audited.append(try await fetch(Self.auditedPath, plan.seconds, 10 + round))
            try await stage.settle()
            unaudited.append(try await fetch(UnauditedSource.path(name: Self.poolName(size)), plan.seconds, 10 + round))
        }
        return BenchFigure(
            name: "audited GET",
            unit: "requests/s",
            samples: audited.map(\.perSecond),
            comparison: .init(name: "unaudited GET, pool of \(size)", samples: unaudited.map(\.perSecond)),
            goal: .ratio(0.9),
            remarks: [latencies(of: audited, "audited"), latencies(of: unaudited, "unaudited"), rolesRemark]
        )
    }

    /// Changes beside the naive outbox transaction, each with as many clients as serve it best.
    func measureChanges() async throws -> BenchFigure {
        Terminal.note("PUT, and pgbench's outbox transaction, in turns")
        let change = try write(BenchScripts.change, to: "change.lua")
        let naive = try write(BenchScripts.naive(products: catalogue.count), to: "naive.sql")
        try makeNaiveTables()
        return try await stage.withServer(catalogue.access, roles: plan.roles) { server in
            let put: @Sendable (Int, Int, Int) async throws -> BenchTools.Load = { connections, seconds, seed in
                try await tools.load(
                    server,
                    script: change,
                    key: catalogue.key,
                    connections: connections,
                    seconds: seconds,
                    arguments: catalogue.range + ["\(seed)"]
                )
            }
            let transact: @Sendable (Int, Int) async throws -> Double = { clients, seconds in
                try await tools.transactions(
                    script: naive,
                    database: catalogue.access.database.ownerURL,
                    clients: clients,
                    seconds: seconds
                )
            }
            _ = try await put(Self.connections, plan.seconds, 1)
            _ = try await transact(4, 2)
            let clients = try await best(of: Self.clientCounts, "pgbench with", "clients") { try await transact($0, 3) }
            let connections = try await best(of: Self.connectionCounts, "PUT by", "connections") {
                try await put($0, 3, 2).perSecond
            }
            var changes: [BenchTools.Load] = []
            var transactions: [Double] = []
            for round in 0..<plan.rounds {
                try await stage.settle()
                changes.append(try await put(connections, plan.seconds, 10 + round))
                try await stage.settle()
                transactions.append(try await transact(clients, plan.seconds))
            }
            try checkChanged(atLeast: changes.map(\.requests).reduce(0, +))
            return BenchFigure(
                name: "PUT",
                unit: "requests/s",
                samples: changes.map(\.perSecond),
                comparison: .init(name: "outbox by pgbench, \(clients) clients", samples: transactions),
                goal: .ratio(2),
                remarks: [latencies(of: changes, "PUT by \(connections) connections,"), rolesRemark]
            )
        }
    }

    /// The count with the highest rate.
    private func best(
        of counts: [Int],
        _ what: String,
        _ unit: String,
        rate: (Int) async throws -> Double
    ) async throws -> Int {
        var best = (count: 0, rate: 0.0)
        for count in counts {
            let rate = try await rate(count)
            Terminal.note("  \(what) \(count) \(unit): \(BenchReport.number(rate))/s")
            if rate > best.rate { best = (count, rate) }
        }
        return best.count
    }

    /// Makes sure that the requests did what they are counted for: a PUT of what is there already makes no event.
    private func checkChanged(atLeast count: Int) throws {
        let session = try catalogue.access.ownerSession()
        defer { session.close() }
        let changes = Statement(name: "bench_changes", text: "select count(*) from events where type = 2")
        let found = try session.query(changes).only().int64(0)
        guard found >= Int64(count) else {
            throw Failure(.wrong, "\(count) PUTs were answered and the log has \(found) changes")
        }
    }

    /// The process's memory while requests of both kinds come as fast as they are answered, relay and consumer at work.
    func watchMemory() async throws -> BenchFigure {
        Terminal.note("memory under load for \(plan.memoryMinutes) minutes")
        let fetch = try write(BenchScripts.fetch, to: "fetch.lua")
        let change = try write(BenchScripts.change, to: "change.lua")
        let samples = try await stage.withServer(catalogue.access, roles: Set(ServerRole.allCases)) { server in
            let load: @Sendable (Int) async throws -> Void = { seconds in
                async let fetches = tools.load(
                    server,
                    script: fetch,
                    key: catalogue.key,
                    connections: 48,
                    seconds: seconds,
                    arguments: catalogue.range + ["1", Self.auditedPath]
                )
                async let changes = tools.load(
                    server,
                    script: change,
                    key: catalogue.key,
                    connections: 16,
                    seconds: seconds,
                    arguments: catalogue.range + ["1"]
                )
                _ = try await (fetches, changes)
            }
            try await load(30)
            return try await ResidentMemory.sample(every: .seconds(1)) { try await load(plan.memoryMinutes * 60) }
        }
        let least = samples.min() ?? 0
        let most = samples.max() ?? 0
        return BenchFigure(
            name: "memory",
            unit: "MiB",
            samples: samples,
            goal: .within(0.1),
            remarks: [
                "from \(BenchReport.number(least)) to \(BenchReport.number(most)) MiB over \(plan.memoryMinutes) minutes "
                    + "of 48 connections fetching and 16 changing, all roles in one process, the bench itself included"
            ]
        )
    }

    private static func poolName(_ size: Int) -> String { "pool-\(size)" }

    private var rolesRemark: String {
        "the server's roles: \(plan.roles.map(\.rawValue).sorted().joined(separator: ", "))"
    }

    private func latencies(of loads: [BenchTools.Load], _ name: String) -> String {
        let median = BenchFigure.median(loads.map(\.median))
        let late = BenchFigure.median(loads.map(\.late))
        return "\(name) latency \(BenchReport.fixed(median, 2)) ms, 99 % within \(BenchReport.fixed(late, 2)) ms"
    }

    private func makeNaiveTables() throws {
        let session = try catalogue.access.ownerSession()
        defer { session.close() }
        try session.execute(BenchScripts.naiveTables(products: catalogue.count))
    }

    private func write(_ text: String, to name: String) throws -> String {
        let path = "\(stage.directory)/\(name)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }
}

/// How much memory this process holds.
enum ResidentMemory {
    /// MiB; 0 where the system does not tell.
    static var mebibytes: Double {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return Double(line.filter(\.isNumber)).map { $0 / 1_024 } ?? 0
    }

    /// Samples for as long as `body` runs.
    static func sample(
        every interval: Duration,
        during body: @escaping @Sendable () async throws -> Void
    ) async throws -> [Double] {
        try await withThrowingTaskGroup(of: [Double].self) { group in
            group.addTask {
                try await body()
                return []
            }
            group.addTask {
                var samples: [Double] = []
                while !Task.isCancelled {
                    samples.append(mebibytes)
                    try? await Task.sleep(for: interval)
                }
                return samples
            }
            _ = try await group.next()
            group.cancelAll()
            return try await group.next() ?? []
        }
    }
}
