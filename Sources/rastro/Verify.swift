import ArgumentParser
import Catalog
import EventLog
import LibPQ

struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check that the projection is what the log says. Exit 1, and the list, when it is not.",
        discussion: "The log against its checkpoints is not part of this version: nothing is sealed yet."
    )

    @OptionGroup var options: DatabaseOptions

    @Option(help: "Which projection: products.")
    var projection = "products"

    func validate() throws {
        guard projection == "products" else { throw ValidationError("there is one projection to verify: products") }
    }

    private struct Found: Sendable {
        var events = 0
        var products = 0
        var drift: [ProjectionWalk.Drift] = []
        var faults: [String] = []
    }

    func run() async throws {
        let logger = options.makeLogger()
        let found = try await options.withDatabase(logger: logger) { database in
            let session = try EventLogAccess(database: database, logger: logger).ownerSession()
            defer { session.close() }
            var progress = ProgressReport("verifying products: changes")
            var found = Found()
            try ProjectionWalk(session: session).forEachPage { page in
                found.events += page.events
                found.products += page.folded.count
                found.drift += page.drift
                found.faults += page.faults.map { "product \($0.id): \($0.fault)" }
                progress.update(found.events)
            }
            progress.finish()
            return found
        }
        show(found)
        let wrong = found.drift.count + found.faults.count
        if wrong > 0 { throw Failure(.wrong, "the projection differs from the log in \(wrong) places") }
    }

    private func show(_ found: Found) {
        guard options.json else {
            for fault in found.faults { Terminal.print("cannot replay \(fault)") }
            for drift in found.drift { Terminal.print("product \(drift.id): \(drift.kind.rawValue)") }
            Terminal.print("\(found.products) products, \(found.events) changes, \(found.drift.count) differ")
            return
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("projection", "products")
        writer.member("events", found.events)
        writer.member("products", found.products)
        let drift = found.drift.map { drift in
            JSONValue.object([
                JSONMember(key: "product", value: .integer(drift.id.rawValue)),
                JSONMember(key: "kind", value: .string(drift.kind.rawValue)),
            ])
        }
        writer.member("drift", .array(drift))
        writer.member("faults", .array(found.faults.map(JSONValue.string)))
        writer.endObject()
        Terminal.print(writer.bytes)
    }
}
