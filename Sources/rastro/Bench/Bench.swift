import ArgumentParser
import EmbeddedPostgres
import Logging
import ServiceLifecycle
import UnixSignals

struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure this program on this machine, beside what it is to be compared with.",
        discussion: """
            Makes a PostgreSQL of its own in a temporary directory, with production's settings (fsync on), and removes \
            it afterwards; no other database is touched. What is compared runs in turns within one run: A B A B, after a \
            warm-up; medians count. Needs wrk, and pgbench for `put`. Exit status 1 when a goal is missed.
            """
    )

    enum Name: String, CaseIterable, ExpressibleByArgument {
        case `import`, get, put, rebuild, delivery, queues, messages, memory
    }

    @Flag(help: "Print one JSON document.")
    var json = false

    @Option(help: "Seconds a block of the comparisons.")
    var seconds = 5

    @Option(help: "Blocks of each side.")
    var rounds = 5

    @Option(parsing: .upToNextOption, help: "Only these: \(Name.allCases.map(\.rawValue).joined(separator: ", ")).")
    var only: [Name] = []

    @Option(help: "How long the server's memory is watched under load; 0 leaves it out.")
    var memoryMinutes = 0

    @Option(help: "Products in the catalogue, and in each import.")
    var products = 100_000

    @Option(help: "Events in the log that is replayed and delivered, or as many as a minute allows.")
    var events = 5_000_000

    @Option(help: "What the measured server does besides answering: relay, consumer.")
    var roles = "gateway"

    @Option(help: "Where the temporary directory is made; its disk is what is measured.")
    var workDir = "/tmp"

    func validate() throws {
        guard (1...600).contains(seconds) else { throw ValidationError("--seconds is a number from 1 to 600") }
        guard (1...100).contains(rounds) else { throw ValidationError("--rounds is a number from 1 to 100") }
        guard (0...600).contains(memoryMinutes) else { throw ValidationError("--memory-minutes is from 0 to 600") }
        guard (1_000...5_000_000).contains(products) else {
            throw ValidationError("--products is a number from 1000 to 5000000")
        }
        guard (50_000...100_000_000).contains(events) else {
            throw ValidationError("--events is a number from 50000 to 100000000")
        }
        guard try ServerRole.parse(list: roles).contains(.gateway) else {
            throw ValidationError("--roles must have gateway")
        }
    }

    func run() async throws {
        var logger = Logger(label: "rastro") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
        let plan = BenchPlan(
            names: chosen,
            seconds: seconds,
            rounds: rounds,
            products: products,
            events: events,
            roles: try ServerRole.parse(list: roles),
            memoryMinutes: memoryMinutes
        )
        let tools = try BenchTools(needsPgbench: plan.names.contains(.put))
        let machine = try BenchMachine(directory: workDir)
        let stage = try await BenchStage(under: workDir, logger: logger)
        let results = BenchResults()
        let service = BenchService(stage: stage, plan: plan, tools: tools, results: results)
        do {
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(
                    services: [
                        .init(service: stage.postgres),
                        .init(service: service, successTerminationBehavior: .gracefullyShutdownGroup),
                    ],
                    gracefulShutdownSignals: [.sigterm, .sigint],
                    logger: logger
                )
            )
            try await group.run()
        } catch {
            await stage.remove()
            throw error
        }
        await stage.remove()
        let figures = results.figures
        let report = BenchReport(machine: machine, figures: figures)
        if json { Terminal.print(report.json) } else { Terminal.print(report.text) }
        let missed = figures.filter { $0.isMet == false }.map(\.name)
        if !missed.isEmpty { throw Failure(.wrong, "goals missed: \(missed.joined(separator: ", "))") }
    }

    private var chosen: Set<Name> {
        var names = only.isEmpty ? Set(Name.allCases) : Set(only)
        if memoryMinutes == 0 { names.remove(.memory) }
        return names
    }
}

/// What is to be measured, and how long.
struct BenchPlan: Sendable {
    let names: Set<Bench.Name>
    let seconds: Int
    let rounds: Int
    let products: Int
    let events: Int
    let roles: Set<ServerRole>
    let memoryMinutes: Int
}

/// Measures, one figure after the other, while the stage's PostgreSQL is supervised beside it.
private struct BenchService: Service {
    let stage: BenchStage
    let plan: BenchPlan
    let tools: BenchTools
    let results: BenchResults

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            do {
                try await measure()
            } catch is CancellationError {
                Terminal.note("interrupted")
            }
        }
    }

    private func measure() async throws {
        if !plan.names.isDisjoint(with: [.import, .get, .put, .memory]) {
            let catalogue = try await BenchCatalogue(stage: stage, plan: plan)
            try await catalogue.load()
            if plan.names.contains(.import) { results.add(try await catalogue.measureImport()) }
            let load = BenchLoad(catalogue: catalogue, tools: tools, plan: plan)
            if plan.names.contains(.get) { results.add(try await load.measureFetches()) }
            if plan.names.contains(.put) { results.add(try await load.measureChanges()) }
            if plan.names.contains(.memory) { results.add(try await load.watchMemory()) }
        }
        if !plan.names.isDisjoint(with: [.queues, .messages]) {
            try await BenchQueues(stage: stage, plan: plan).measure(results)
        }
        if plan.names.contains(.messages) {
            results.add(try await BenchSignedQueue(stage: stage, plan: plan, tools: tools).measure())
        }
        if !plan.names.isDisjoint(with: [.rebuild, .delivery]) {
            let log = try await BenchLog(stage: stage, plan: plan)
            if plan.names.contains(.rebuild) { results.add(try await log.measureRebuild()) }
            if plan.names.contains(.delivery) { for figure in try await log.measureDelivery() { results.add(figure) } }
        }
    }
}
