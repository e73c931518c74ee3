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
    /// Far from the ids that the log gives out itself.
    private static let firstID = 1_000_000_000
    private static let imports = 3
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

    /// First id and count, as the scripts take them.
    var range: [String] { ["\(Self.firstID)", "\(count)"] }

    /// Brings in the products that requests ask for, under ids and codes that the scripts know.
    func load() async throws {
        let file = try write("products") { number in
            let id = Self.firstID + number - 1
            return #"{"id":\#(id),"code":"P-\#(id)","name":"Bench product \#(id)","model":"M-\#(id)","price":0.001,"#
                + #""url":"https://shop.example/products/\#(id)"}"#
        }
        try await Self.runSelf(["import", file, "--user", "importer"], on: access)
        try analyze()
    }

    /// Imports other catalogues: products a second, the program's start and end included.
    func measureImport() async throws -> BenchFigure {
        Terminal.note("import of \(count) products at a time")
        var samples: [Double] = []
        for round in 0..<Self.imports {
            let file = try write("catalogue-\(round)") { number in
                #"{"code":"C-\#(round)-\#(number)","name":"Bench product \#(number)","model":"M-\#(number)","#
                    + #""price":\#(number % 1_000).\#(10 + number % 90),"#
                    + #""url":"https://shop.example/products/\#(number)"}"#
            }
            let start = ContinuousClock.now
            try await Self.runSelf(["import", file, "--user", "importer"], on: access)
            samples.append(Double(count) / ((ContinuousClock.now - start) / .seconds(1)))
        }
        try analyze()
        return BenchFigure(
            name: "import",
            unit: "products/s",
            samples: samples,
            goal: .atLeast(15_000),
            remarks: ["\(count) products a time, NDJSON, the command's own start and end included"]
        )
    }

    private func analyze() throws {
        let session = try access.ownerSession()
        defer { session.close() }
        try session.execute("analyze products; analyze events")
    }

    private func write(_ name: String, _ line: (Int) -> String) throws -> String {
        let file = "\(stage.directory)/\(name).ndjson"
        var text = ""
        text.reserveCapacity(count * 160)
        for number in 1...count { text += line(number) + "\n" }
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        return file
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
