import Catalog
import Delivery
import EventLog
import LibPQ

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Queues in this process: rates, latencies, what waiting costs, and whether their tables stay small.
struct BenchQueues: Sendable {
    private let stage: BenchStage
    private let plan: BenchPlan
    let access: EventLogAccess

    private static let receivers = 32
    private static let appendBatch = 2_000
    /// How far the appender may be ahead of the consumers.
    private static let backlog = 100_000
    private static let products: Int64 = 2_000
    /// Messages a second at which latency is measured.
    private static let pace = 2_000
    private static let idlePollers = 1_000
    static let bigBacklog = 1_000_000
    /// Messages that go through before the snapshot, at least; and those after which the tables should grow no more.
    private static let (journalled, settled) = (1_500_000, 500_000)
    /// Callers that send, receive and delete in turn.
    private static let callers = [1, 4, 16, 64]

    init(stage: BenchStage, plan: BenchPlan) async throws {
        self.stage = stage
        self.plan = plan
        access = try await stage.makeDatabase("bench_queues")
    }

    /// All figures, in an order in which none disturbs the next.
    func measure(_ results: BenchResults) async throws {
        Terminal.note("queues in this process")
        let log = try access.open(readers: 4)
        let events = QueueClient(.productEvents)
        let host = QueueHost(
            log: log,
            permanent: [events],
            configuration: QueueHost.Configuration(connection: access.dispatcherConnection, owner: "bench"),
            logger: stage.logger
        )
        let directory = QueueDirectory(log: log, host: host, logger: stage.logger)
        let vacuum = TableVacuum(connection: access.vacuumConnection, logger: stage.logger)
        try await stage.withServices([log, vacuum, host]) {
            if plan.names.contains(.queues) {
                try await makeProducts(log)
                results.add(try await measureLatency(log, events))
                results.add(try await measureIdlePollers(directory))
                for figure in try await measureAppending(events) { results.add(figure) }
            }
            if plan.names.contains(.messages) {
                results.add(try await measureMessages(directory))
                for figure in try await measureTurns(directory) { results.add(figure) }
            }
        } afterwards: {
            await log.readers.shutdown()
        }
        if plan.names.contains(.queues) { results.add(try await measureBigGroup()) }
    }

    // MARK: - Figures

    /// From a commit until a consumer has its event, at a pace that leaves the machine air.
    private func measureLatency(_ log: EventLog, _ events: QueueClient) async throws -> BenchFigure {
        let clock = BenchLatency()
        try await during {
            await consume(events) { clock.received($0.position) }
        } run: {
            try await append(log, seconds: plan.seconds * plan.rounds, observed: clock)
        }
        return BenchFigure(
            name: "commit to consumer, 99 %",
            unit: "ms",
            samples: [clock.quantile(0.99)],
            goal: .atMost(20),
            remarks: ["\(Self.pace) events a second, median \(BenchReport.fixed(clock.quantile(0.5), 2)) ms"]
        )
    }

    /// The processor time that many waiting receives take while nothing comes.
    private func measureIdlePollers(_ directory: QueueDirectory) async throws -> BenchFigure {
        let queue = try await makeQueue("idle.fifo", isFIFO: true, directory)
        let seconds = 10
        let share = try await during {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<Self.idlePollers {
                    group.addTask {
                        _ = try? await queue.receive(max: 10, visibilityTimeout: nil, wait: .seconds(seconds + 2))
                    }
                }
            }
        } run: {
            try await Task.sleep(for: .seconds(1))
            let before = ProcessorTime.ofThisProcess
            try await Task.sleep(for: .seconds(seconds))
            return (ProcessorTime.ofThisProcess - before) / .seconds(seconds) * 100
        }
        return BenchFigure(
            name: "\(Self.idlePollers) idle pollers",
            unit: "% of a core",
            samples: [share],
            goal: .atMost(5),
            remarks: ["the whole process, dispatchers and committer included"]
        )
    }

    /// Receive and delete, ten at a time, of what is appended meanwhile, until more than a million messages have gone
    /// through; then the same while a snapshot is held open for a minute, and after it.
    private func measureAppending(_ events: QueueClient) async throws -> [BenchFigure] {
        let (taken, appended) = (BenchCounter(), BenchCounter())
        return try await during {
            async let appending: Void = keepAppending(counting: appended, taken: taken)
            await consume(events) { _ in taken.add(1) }
            await appending
        } run: {
            var journal = try BenchJournal(access, taken)
            defer { journal.close() }
            _ = try await journal.follow(for: .seconds(2))
            var (samples, rates): ([Double], [Double]) = ([], [])
            for _ in 0..<plan.rounds {
                async let rate = appended.rate(over: .seconds(plan.seconds))
                samples.append(try await journal.follow(for: .seconds(plan.seconds)))
                rates.append(try await rate)
            }
            _ = try await journal.follow(for: .zero, until: Self.journalled)
            let before = journal.samples
            let held = try await whileASnapshotIsHeld {
                var held: [Double] = []
                for _ in 0..<6 { held.append(try await journal.follow(for: .seconds(10))) }
                return held
            }
            let during = journal.samples.dropFirst(before.count)
            var after: [Double] = []
            for _ in 0..<3 { after.append(try await journal.follow(for: .seconds(10))) }
            return figures(samples, appended: BenchFigure.median(rates), before: before)
                + [figure(held: held, before: samples, after: after, Array(during), end: journal.samples.last)]
        }
    }

    /// What came of the time before the snapshot.
    private func figures(_ samples: [Double], appended: Double, before: [BenchJournal.Sample]) -> [BenchFigure] {
        [
            BenchFigure(
                name: "appended, received, deleted",
                unit: "messages/s",
                samples: samples,
                goal: .atLeast(40_000),
                remarks: [
                    "\(Self.receivers) receivers, ten at a time; one session appends \(Self.appendBatch) events a transaction, "
                        + "\(BenchReport.number(appended)) events/s"
                ]
            ),
            BenchFigure(
                name: "the queues' tables meanwhile",
                unit: "MiB",
                samples: before.filter { $0.messages > Self.settled }.map(\.mebibytes),
                goal: .within(0.5),
                remarks: BenchJournal.series(before, whole: Self.journalled)
            ),
        ]
    }

    /// What came of the minute with a snapshot, the last two thirds of it. Compared with the time before and after: the
    /// machine's own drift is not the snapshot's.
    private func figure(
        held: [Double],
        before: [Double],
        after: [Double],
        _ during: [BenchJournal.Sample],
        end: BenchJournal.Sample?
    ) -> BenchFigure {
        BenchFigure(
            name: "the same, a snapshot held for a minute",
            unit: "messages/s",
            samples: Array(held.suffix(4)),
            comparison: BenchFigure.Comparison(name: "before and after it", samples: before + after.suffix(2)),
            goal: .atLeast(40_000),
            remarks: [
                "ten seconds each: \(held.map(BenchReport.number).joined(separator: "; ")) messages/s; after it "
                    + "\(after.map(BenchReport.number).joined(separator: "; ")), the tables then "
                    + "\(BenchReport.fixed(end?.mebibytes ?? 0, 1)) MiB"
            ] + BenchJournal.series(during, whole: 0)
        )
    }

    /// A queue's own messages, sent, received with their bodies and deleted, ten at a time.
    private func measureMessages(_ directory: QueueDirectory) async throws -> BenchFigure {
        let queue = try await makeQueue("own", isFIFO: false, directory)
        let taken = BenchCounter()
        let body = String(repeating: "x", count: 200)
        let samples = try await during {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<Self.receivers {
                    group.addTask {
                        let messages = (0..<10).map { _ in NewMessage(body: body, sender: 1) }
                        while !Task.isCancelled { _ = try? await queue.send(messages) }
                    }
                    group.addTask { await Self.keepTaking(queue, counting: taken) }
                }
            }
        } run: {
            try await Task.sleep(for: .seconds(2))
            var samples: [Double] = []
            for _ in 0..<plan.rounds { samples.append(try await taken.rate(over: .seconds(plan.seconds))) }
            return samples
        }
        return BenchFigure(
            name: "sent, received, deleted",
            unit: "messages/s",
            samples: samples,
            remarks: [
                "a standard queue of its own, 200 bytes a message, ten at a time, \(Self.receivers) senders and receivers"
            ]
        )
    }

    /// Callers that each send ten, receive ten and delete them, again and again: what a queue in SQL is measured by.
    private func measureTurns(_ directory: QueueDirectory) async throws -> [BenchFigure] {
        let queue = try await makeQueue("turns", isFIFO: false, directory)
        var figures: [BenchFigure] = []
        for callers in Self.callers {
            let taken = BenchCounter()
            let samples = try await during {
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<callers { group.addTask { await Self.keepTurning(queue, counting: taken) } }
                }
            } run: {
                try await Task.sleep(for: .seconds(1))
                var samples: [Double] = []
                for _ in 0..<plan.rounds { samples.append(try await taken.rate(over: .seconds(plan.seconds))) }
                return samples
            }
            figures.append(
                BenchFigure(
                    name: "sent, received, deleted in turn, callers: \(callers)",
                    unit: "messages/s",
                    samples: samples,
                    remarks: ["a standard queue of its own, 200 bytes a message, ten at a time"]
                )
            )
        }
        return figures
    }

    /// How late the others' events come while one product has a backlog of a million.
    private func measureBigGroup() async throws -> BenchFigure {
        let access = try await stage.makeDatabase("bench_big_group")
        try fillOneProduct(access)
        let log = try access.open(readers: 2)
        let events = QueueClient(.productEvents)
        let queue = QueueService(
            client: events,
            log: log,
            connection: access.dispatcherConnection,
            owner: "bench",
            logger: stage.logger
        )
        let clock = BenchLatency()
        try await stage.withServices([log, queue]) {
            try await makeProducts(log, from: 2)
            try await during {
                await consume(events) { clock.received($0.position) }
            } run: {
                try await Task.sleep(for: .seconds(5))
                try await append(log, seconds: plan.seconds * plan.rounds, perSecond: 200, from: 2, observed: clock)
            }
        } afterwards: {
            await log.readers.shutdown()
        }
        return BenchFigure(
            name: "others beside a backlog of one, 99 %",
            unit: "ms",
            samples: [clock.quantile(0.99)],
            goal: .atMost(20),
            remarks: [
                "one product has \(BenchReport.number(Double(Self.bigBacklog))) waiting, 200 events a second of others, "
                    + "median \(BenchReport.fixed(clock.quantile(0.5), 2)) ms"
            ]
        )
    }

    // MARK: - Work

    private func makeQueue(_ name: String, isFIFO: Bool, _ directory: QueueDirectory) async throws -> QueueEndpoint {
        let context = try access.commandContext()
        let queue = try await directory.create(name, QueueSettings(isFIFO: isFIFO), tags: [:], context: context)
        guard case .here(let endpoint) = try await directory.route(to: queue) else {
            throw Failure(.wrong, "the bench's queue has another owner")
        }
        return endpoint
    }

    private func makeProducts(_ log: EventLog, from first: Int64 = 1) async throws {
        guard let price = Price(decimal: "1.5") else { return }
        let context = try access.commandContext()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in first..<first + Self.products {
                let fields = ProductFields(code: "C\(number)", name: "Bench product", model: "", price: price)
                let product = try NewProduct(id: ProductID(number), fields: fields)
                group.addTask { _ = try await log.submit(.create(product), context: context) }
            }
            try await group.waitForAll()
        }
    }

    /// Fetches products at a steady pace, and notes when each event was committed.
    private func append(
        _ log: EventLog,
        seconds: Int,
        perSecond: Int = pace,
        from first: Int64 = 1,
        observed clock: BenchLatency
    ) async throws {
        let context = try access.commandContext()
        let start = ContinuousClock.now
        let step: Duration = .milliseconds(5)
        let each = max(1, perSecond / 200)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for tick in 0..<(seconds * perSecond / each) {
                for place in 0..<each {
                    guard let id = ProductID(first + Int64(tick * each + place) % Self.products) else { continue }
                    group.addTask {
                        let outcome = try await log.submit(.fetch(id), context: context)
                        if let position = outcome.position { clock.committed(position) }
                    }
                }
                try await Task.sleep(until: start + step * (tick + 1), clock: .continuous)
            }
            try await group.waitForAll()
        }
        try await Task.sleep(for: .seconds(1))
    }

    /// Appends fetches straight into the log, as the committer would, until cancelled; waits while too many are ahead of the
    /// consumers. The committer itself would leave them too little of two cores.
    private func keepAppending(counting count: BenchCounter, taken: BenchCounter) async {
        let rows = Statement(
            name: "bench_append",
            text: """
                insert into events (position, product_id, recorded_at, user_no, version, type, auth, via, schema,
                    request_id)
                select last + n, (last + n) % \(Self.products) + 1, clock_timestamp() + n * interval '1 microsecond', 1, 1,
                    5, 1, 2, 1, md5((last + n)::text)::uuid
                from (select coalesce(max(position), 0) as last from events) end_of_log,
                    generate_series(1, \(Self.appendBatch)) n
                """
        )
        let thread = WorkerThread(name: "bench-append") { [access] in
            guard let session = try? access.ownerSession() else { return }
            defer { session.close() }
            while !count.isOver {
                if count.value - taken.value > Self.backlog {
                    usleep(1_000)
                    continue
                }
                do {
                    _ = try session.pipeline { pipeline in
                        pipeline.begin()
                        pipeline.add(Statement(name: "bench_lock", text: "select from log_head for no key update"))
                        pipeline.add(rows)
                        pipeline.commit()
                    }
                    count.add(Self.appendBatch)
                } catch {
                    return
                }
            }
        }
        await withTaskCancellationHandler {
            await thread.finished()
        } onCancel: {
            count.end()
        }
    }

    /// Receives and deletes until cancelled.
    private func consume(_ events: QueueClient, each: @escaping @Sendable (QueueMessage) -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<Self.receivers {
                group.addTask {
                    while !Task.isCancelled {
                        do {
                            let messages = try await events.receive(wait: .milliseconds(200))
                            messages.forEach(each)
                            if !messages.isEmpty { _ = try await events.delete(messages.map(\.handle)) }
                        } catch {
                            try? await Task.sleep(for: .milliseconds(50))
                        }
                    }
                }
            }
        }
    }
}
