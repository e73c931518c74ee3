import ArgumentParser
import Catalog
import Delivery
import EventLog
import LibPQ

struct Replay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Deliver a range of the log to a destination again.",
        discussion: """
            Replayed messages say that they are a replay, keep their order among themselves, and never go before live \
            ones. The built-in consumer ignores them: to repair a projection, rebuild it.
            """
    )

    @OptionGroup var options: DatabaseOptions

    @Option(help: "The first position.")
    var from: Int64

    @Option(help: "The last position; by default the log's end as it is now.")
    var to: Int64?

    @Option(help: "Only this product's events.")
    var product: Int64?

    @Option(help: "Only events of this type, such as UPDATED; may be given again.")
    var type: [String] = []

    @Option(help: "Where to: product-events.")
    var toDestination: String

    func validate() throws {
        guard from > 0 else { throw ValidationError("--from is a position: 1 or more") }
        if let to, to < from { throw ValidationError("--to does not lie before --from") }
        if let product, ProductID(product) == nil { throw ValidationError("a product id is a positive integer") }
        guard toDestination == "product-events" else {
            throw ValidationError("there is one destination to replay to: product-events")
        }
        for name in type where EventType(name: name) == nil {
            throw ValidationError(
                "'\(name)' is no event type; there are \(EventType.allCases.map(\.name).joined(separator: ", "))"
            )
        }
    }

    func run() async throws {
        let logger = options.makeLogger()
        let types = type.compactMap { EventType(name: $0)?.rawValue }
        let progress = ProgressReport("replaying: events")
        let (range, events) = try await options.withDatabase(logger: logger) { [progress] database in
            var progress = progress
            let access = EventLogAccess(database: database, logger: logger)
            let session = try access.ownerSession()
            defer { session.close() }
            let end = try LogClock(session: session).end()
            guard from <= end else { throw Failure(.usage, "the log ends at \(end)") }
            let range = ReplayRange(from: from, to: min(to ?? end, end), product: product, types: types)
            let replay = QueueReplay(queue: .productEvents, range: range)
            let events = try replay.count(session) { progress.update(Int($0)) }
            progress.update(Int(events))
            progress.finish()
            let context = try access.commandContext()
            _ = try await access.withLog { log in try await log.submit(.act(replay.act), context: context) }
            return (range, events)
        }
        show(range, events: events, seconds: progress.seconds)
    }

    private func show(_ range: ReplayRange, events: Int64, seconds: Double) {
        guard options.json else {
            Terminal.print("\(events) events from \(range.from) to \(range.to) go to \(toDestination) again")
            return
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("destination", toDestination)
        writer.member("events", events)
        writer.member("from", range.from)
        writer.member("to", range.to)
        writer.key("seconds")
        writer.raw(Milliseconds.text(seconds))
        writer.endObject()
        Terminal.print(writer.bytes)
    }
}
