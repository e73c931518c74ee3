import Catalog
import EmbeddedPostgres
import EventLog
import Foundation
import LibPQ

/// The products that requests ask for, brought in by `rastro import` in a process of its own.
struct BenchCatalogue: Sendable {
    let stage: BenchStage
    let access: EventLogAccess
    let count: Int
    /// May do everything.
    let key: String

    init(stage: BenchStage, plan: BenchPlan) async throws {
        Terminal.note("a catalogue of \(plan.products) products")
        self.stage = stage
        count = plan.products
        access = try await stage.makeDatabase("bench")
        let context = try access.commandContext()
        guard let owner = UserID(external: "bench") else { throw Failure(.usage, "no user for the bench") }
        key = try await access.withLog { log in
            try await KeyAdministration(log: log, context: context)
                .create(owner: owner, scopes: [.productsRead, .productsWrite]).text
        }
    }

    /// Imports a catalogue of other products `rounds` times: products a second, the program's start included.
    func load(rounds: Int) async throws -> BenchFigure {
        var samples: [Double] = []
        for round in 0..<rounds {
            let file = "\(stage.directory)/catalogue-\(round).ndjson"
            try write(round, to: file)
            let start = ContinuousClock.now
            try await Self.runSelf(["import", file, "--user", "importer"], on: access)
            samples.append(Double(count) / ((ContinuousClock.now - start) / .seconds(1)))
            unlink(file)
        }
        let session = try access.ownerSession()
        defer { session.close() }
        try session.execute("analyze products; analyze events")
        return BenchFigure(
            name: "import",
            unit: "products/s",
            samples: samples,
            goal: .atLeast(15_000),
            remarks: ["\(count) products a time, NDJSON, the command's own start and end included"]
        )
    }

    /// Ids that exist, from 1: the sequence gives them without gaps unless a batch was tried twice.
    func firstIDs() throws -> Int {
        let session = try access.ownerSession()
        defer { session.close() }
        let count = Statement(
            name: "bench_ids",
            text: "select count(*) from products where id <= $1 and not removed"
        )
        let found = Int(try session.query(count, Parameters().int64(Int64(self.count))).only().int64(0))
        guard found == self.count else { throw Failure(.wrong, "the imported products' ids have gaps") }
        return found
    }

    private func write(_ round: Int, to file: String) throws {
        var text = ""
        text.reserveCapacity(count * 160)
        for number in 1...count {
            text += #"{"code":"C-\#(round)-\#(number)","name":"Bench product \#(number)","model":"M-\#(number)","#
            text +=
                #""price":\#(number % 1_000).\#(10 + number % 90),"url":"https://shop.example/products/\#(number)"}"#
            text += "\n"
        }
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    }

    /// Runs another command of this very program on a database of the stage.
    @discardableResult
    static func runSelf(_ command: [String], on access: EventLogAccess) async throws -> String {
        try Task.checkCancellation()
        let program = try FileText.resolved("/proc/self/exe")
        let database = access.database
        return try await onBlockingThread {
            try ChildProcess.succeed(
                [program] + command
                    + ["--database-url", database.servingURL, "--owner-database-url", database.ownerURL, "--json"],
                timeout: .seconds(600)
            )
        }
    }
}
