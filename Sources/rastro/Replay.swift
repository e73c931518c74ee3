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

    @Option(help: "The first position, or an RFC 3339 time: the first event from then on.")
    var from: String

    @Option(help: "The last position, or a time: the last event until then; by default the log's end as it is now.")
    var to: String?

    @Option(help: "Only this product's events.")
    var product: Int64?

    @Option(help: "Only events of this type, such as UPDATED; may be given again.")
    var type: [String] = []

    @Option(help: "Where to: product-events, or the name of a destination (see rastro destinations).")
    var toDestination: String

    @Flag(help: "Do not wait until a destination has everything; the servers deliver it all the same.")
    var detach = false

    /// The built-in queue's name as a destination.
    static let builtIn = DestinationName.builtIn

    func validate() throws {
        guard let from = ReplayBound(from) else {
            throw ValidationError("--from is a position, 1 or more, or an RFC 3339 time")
        }
        if let to {
            guard let to = ReplayBound(to) else { throw ValidationError("--to is a position or an RFC 3339 time") }
            if case (.position(let from), .position(let to)) = (from, to), to < from {
                throw ValidationError("--to does not lie before --from")
            }
        }
        if let product, ProductID(product) == nil { throw ValidationError("a product id is a positive integer") }
        try EventType.validate(names: type)
    }

    func run() async throws {
        let logger = options.makeLogger()
        let progress = ProgressReport("replaying: events")
        let (range, events) = try await options.withDatabase(logger: logger) { [progress] database in
            var progress = progress
            let access = EventLogAccess(database: database, logger: logger)
            let session = try access.ownerSession()
            defer { session.close() }
            let isOutside = toDestination != Self.builtIn
            if isOutside, try !DestinationReplay.exists(toDestination, session) {
                throw Failure(.usage, "there is no destination \(toDestination); see rastro destinations list")
            }
            let range = try self.range(LogClock(session: session))
            let replay = QueueReplay(queue: .productEvents, range: range)
            let events = try replay.count(session) { if !isOutside { progress.update(Int($0)) } }
            let context = try access.commandContext()
            if isOutside {
                try await deliver(range, session, access, context, &progress)
            } else {
                progress.update(Int(events))
                _ = try await access.withLog { log in try await log.submit(.act(replay.act), context: context) }
            }
            progress.finish()
            return (range, events)
        }
        show(range, events: events, seconds: progress.seconds)
    }

    private func range(_ clock: LogClock) throws -> ReplayRange {
        let end = try clock.end()
        let first: Int64
        switch ReplayBound(from) {
        case .position(let position)?: first = position
        case .time(let time)?: first = try clock.position(at: Timestamp(microseconds: time.microseconds - 1)) + 1
        case nil: throw Failure(.usage, "--from is a position or a time")
        }
        guard first <= end else { throw Failure(.usage, "the log ends at \(end)") }
        let last: Int64
        switch to.flatMap(ReplayBound.init) {
        case .position(let position)?: last = min(position, end)
        case .time(let time)?: last = try clock.position(at: time)
        case nil: last = end
        }
        guard first <= last else { throw Failure(.usage, "nothing was recorded in between") }
        let types = type.compactMap { EventType(name: $0)?.rawValue }
        return ReplayRange(from: first, to: last, product: product, types: types)
    }

    /// Starts a replay to a destination outside and shows how far it is; whoever ends the command does not end the replay.
    private func deliver(
        _ range: ReplayRange,
        _ session: Session,
        _ access: EventLogAccess,
        _ context: RequestContext,
        _ progress: inout ProgressReport
    ) async throws {
        let replay = DestinationReplay(destination: toDestination, range: range)
        let started = try await access.withLog { log in try await replay.start(log, context: context) }
        guard let number = started else { throw Failure(.wrong, "there is no destination \(toDestination) any more") }
        Terminal.note("replay \(number) has begun; it goes on when this command ends")
        var quiet = 0
        while !detach {
            let state = try DestinationReplay.progress(number, session)
            progress.update(Int(state.cursor - range.from + 1))
            guard !state.isAbandoned else {
                throw Failure(.wrong, "\(toDestination) was removed: it had everything up to \(state.cursor)")
            }
            if state.isFinished { return }
            if state.cursor >= range.to, state.parked > 0, state.heldProducts == state.parked {
                throw Failure(.wrong, "delivered but for \(state.parked) refused events: see rastro queue parked")
            }
            quiet = state.isServed ? 0 : quiet + 1
            guard quiet < Self.patience else {
                throw Failure(.unreachable, "no server relays to \(toDestination); the replay goes on when one does")
            }
            try await Task.sleep(for: .milliseconds(250))
        }
    }

    /// So often in a row it is looked whether some server relays to the destination: 15 s.
    private static let patience = 60

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

/// Where a replay begins or ends.
private enum ReplayBound {
    case position(Int64)
    case time(Timestamp)

    init?(_ text: String) {
        if let position = Int64(text) {
            guard position > 0 else { return nil }
            self = .position(position)
        } else if let time = Timestamp(rfc3339: text) {
            self = .time(time)
        } else {
            return nil
        }
    }
}
