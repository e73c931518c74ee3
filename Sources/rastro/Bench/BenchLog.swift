import Delivery
import EventLog
import Foundation
import LibPQ
import Synchronization

/// A long log, one change in ten events, that is replayed and delivered.
struct BenchLog: Sendable {
    private let stage: BenchStage
    private let plan: BenchPlan
    private let access: EventLogAccess
    private let events: Int

    private static let chunk = 500_000
    private static let fillLimit: Duration = .seconds(60)
    private static let receivers = 20

    init(stage: BenchStage, plan: BenchPlan) async throws {
        Terminal.note("a log of \(plan.events) events, a tenth of them changes")
        self.stage = stage
        self.plan = plan
        access = try await stage.makeDatabase("bench_log")
        events = try Self.fill(access, upTo: plan.events)
    }

    /// How many events of the log a rebuild gets through in a second, reading, folding, comparing and swapping included.
    func measureRebuild() async throws -> BenchFigure {
        Terminal.note("rebuild of \(events) events")
        // The first one makes the projection, so that the others find no drift and do the same work.
        try await BenchCatalogue.runSelf(["rebuild", "products"], on: access)
        var samples: [Double] = []
        for _ in 0..<3 {
            let start = ContinuousClock.now
            let output = try await BenchCatalogue.runSelf(["rebuild", "products"], on: access)
            samples.append(Double(events) / ((ContinuousClock.now - start) / .seconds(1)))
            guard output.contains(#""drift":{"missing":0,"extra":0,"different":0},"swapped":true"#) else {
                throw Failure(.wrong, "the rebuild of the bench's log found drift: \(output)")
            }
        }
        return BenchFigure(
            name: "rebuild",
            unit: "log events/s",
            samples: samples,
            goal: .atLeast(1_000_000),
            remarks: ["\(events) events, the command's own start and end included"]
        )
    }

    /// How fast a queue hands events out and takes them back, and how fast the built-in consumer counts them.
    func measureDelivery() async throws -> [BenchFigure] {
        Terminal.note("delivery through product-events.fifo, then the built-in consumer")
        return [try await measureQueue(), try await measureConsumer()]
    }

    private func measureQueue() async throws -> BenchFigure {
        let log = try access.open(readers: 2)
        let client = QueueClient(.productEvents)
        let queue = QueueService(
            client: client,
            log: log,
            connection: access.dispatcherConnection,
            owner: UUIDv7().description,
            logger: stage.logger
        )
        let seconds = plan.seconds
        let rounds = plan.rounds
        let samples = try await stage.withServices([log, queue]) {
            _ = try await Self.drain(client, seconds: seconds)
            var samples: [Double] = []
            for _ in 0..<rounds { samples.append(try await Self.drain(client, seconds: seconds)) }
            return samples
        } afterwards: {
            await log.readers.shutdown()
        }
        return BenchFigure(
            name: "delivery",
            unit: "events/s",
            samples: samples,
            remarks: ["\(Self.receivers) receivers in the process, ten messages at a time, each received and deleted"]
        )
    }

    /// Events that all receivers together received and deleted, a second.
    private static func drain(_ client: QueueClient, seconds: Int) async throws -> Double {
        let start = ContinuousClock.now
        let end = start + .seconds(seconds)
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<receivers {
                group.addTask {
                    var count = 0
                    while ContinuousClock.now < end {
                        do {
                            let messages = try await client.receive(wait: .milliseconds(200))
                            guard !messages.isEmpty else { continue }
                            count += try await client.delete(messages.map(\.handle)).count
                        } catch QueueError.notOwner {
                            try await Task.sleep(for: .milliseconds(50))
                        }
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        return Double(count) / ((ContinuousClock.now - start) / .seconds(1))
    }

    private func measureConsumer() async throws -> BenchFigure {
        let (seconds, rounds) = (plan.seconds, plan.rounds)
        let log = try access.open(readers: 2)
        let client = QueueClient(.productActivity)
        let queue = QueueService(
            client: client,
            log: log,
            connection: access.dispatcherConnection,
            owner: UUIDv7().description,
            logger: stage.logger
        )
        let consumer = ConsumerService(ActivityConsumer(), queue: client, log: log, logger: stage.logger)
        let access = access
        let samples = try await stage.withServices([log, queue, consumer]) {
            var samples: [Double] = []
            try await Task.sleep(for: .seconds(seconds))
            for _ in 0..<rounds {
                let (before, start) = (try Self.counted(access), ContinuousClock.now)
                try await Task.sleep(for: .seconds(seconds))
                samples.append(
                    Double(try Self.counted(access) - before) / ((ContinuousClock.now - start) / .seconds(1))
                )
            }
            return samples
        } afterwards: {
            await log.readers.shutdown()
        }
        return BenchFigure(name: "activity consumer", unit: "events/s", samples: samples)
    }

    /// How many events the consumer has counted.
    private static func counted(_ access: EventLogAccess) throws -> Int64 {
        let session = try access.ownerSession()
        defer { session.close() }
        let count = Statement(name: "bench_counted", text: "select coalesce(sum(count), 0)::bigint from user_activity")
        return try session.query(count).only().int64(0)
    }

    /// Writes events straight into the log, as many as a minute allows; returns how many.
    private static func fill(_ access: EventLogAccess, upTo wanted: Int) throws -> Int {
        let session = try access.ownerSession()
        defer { session.close() }
        try session.execute("insert into users (user_id, key, actor) values ('bench', sha256('k'), sha256('a'))")
        let begin = ContinuousClock.now
        var filled = 0
        // Each product is created, then changed four times: a change in ten events.
        let products = wanted / 50
        while filled < wanted, filled == 0 || ContinuousClock.now - begin < fillLimit {
            let last = min(filled + chunk, wanted)
            try session.execute(statement(from: filled + 1, through: last, products: products))
            filled = last
        }
        let partitions = Statement(name: "bench_partitions", text: "select make_partitions($1::bigint, 2)")
        _ = try session.query(partitions, Parameters().int64(Int64(filled)))
        try session.execute("analyze events")
        return filled
    }

    /// Every tenth position changes the next product; the nine after it fetch that product.
    private static func statement(from first: Int, through last: Int, products: Int) -> String {
        """
        insert into events (position, product_id, recorded_at, user_no, version, type, auth, via, schema, request_id,
            code, data_salt, data)
        select p, case when k >= 0 then id end, t, 1, case when k >= 0 then v end,
            case when k < 0 then 11 when p % 10 <> 0 then 5 when v = 1 then 1 else 2 end,
            1, case when p % 10 <> 0 then 2 else 4 end, 1, md5(p::text)::uuid, case when k >= 0 then 'C-' || id end,
            case when p % 10 = 0 or k < 0 then decode(md5(p::text), 'hex') end,
            case when k < 0 then '{"action":"bench"}'::json when p % 10 <> 0 then null
            when v = 1 then format('{"id":%s,"code":"C-%s","name":"Bench product %s","model":"M-%s","price":1.5,'
                '"url":"https://shop.example/products/%s","expiresAt":null,"version":1,"createdAt":"%s","updatedAt":"%s"}',
                id, id, id, id, id, s, s)::json
            else format('{"price":{"from":%s.5,"to":%s.5}}', v - 1, v)::json end
        from (
            select p, k, k % \(products) + 1 as id, k / \(products) + 1 as v, t,
                to_char(t at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as s
            from (
                select p, p / 10 - 1 as k, timestamptz '2026-01-01Z' + p * interval '1 millisecond' as t
                from generate_series(\(first)::bigint, \(last)) p
            ) numbered
        ) placed
        order by p
        """
    }
}
