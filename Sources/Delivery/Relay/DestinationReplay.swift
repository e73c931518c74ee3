import Catalog
package import EventLog
package import LibPQ
import Synchronization

/// Has a range of the log delivered to a destination again; its live cursor does not move.
package struct DestinationReplay: Sendable {
    package struct Progress: Sendable {
        /// Everything of the range up to here was accepted, parked or held.
        package let cursor: Int64
        package let isFinished: Bool
        /// Events that the destination refused, which wait for `rastro queue retry` or `skip`.
        package let parked: Int64
        package let heldProducts: Int64
        /// Some process relays to the destination.
        package let isServed: Bool
        /// The destination was removed before it had everything.
        package let isAbandoned: Bool
    }

    private let destination: String
    private let range: ReplayRange

    package init(destination: String, range: ReplayRange) {
        self.destination = destination
        self.range = range
    }

    /// Whether there is such a destination.
    package static func exists(_ destination: String, _ session: Session) throws(PostgresError) -> Bool {
        try !session.query(Statements.findDestination, Parameters().text(destination)).isEmpty
    }

    /// Starts it: the destination's owner finds it within a second, and it goes on whoever owns the destination then. Its
    /// number, or nil when there is no such destination.
    package func start(_ log: EventLog, context: RequestContext) async throws(CommitError) -> Int32? {
        let started = Atomic<Int32>(0)
        let act = Act { [destination, range] session, context in
            let parameters = Parameters()
                .text(destination).int64(range.from).int64(range.to).int64(range.product).int16Array(range.types)
                .timestamp(microsecondsSinceEpoch: context.recordedAt().microseconds)
            guard let row = try session.query(Statements.startDestinationReplay, parameters).first else { return nil }
            let number = try row.int32(0)
            started.store(number, ordering: .relaxed)
            return range.operation(destination: destination, replay: number).bytes
        }
        let outcome = try await log.submit(.act(act), context: context)
        return outcome.position == nil ? nil : started.load(ordering: .relaxed)
    }

    package static func progress(_ replay: Int32, _ session: Session) throws(PostgresError) -> Progress {
        let row = try session.query(Statements.destinationReplayProgress, Parameters().int32(replay)).only()
        return Progress(
            cursor: try row.int64(0),
            isFinished: try row.bool(1),
            parked: try row.int64(2),
            heldProducts: try row.int64(3),
            isServed: try row.bool(4),
            isAbandoned: try row.bool(5)
        )
    }
}

extension ReplayRange {
    /// The event that tells what was asked for.
    func operation(destination: String, replay: Int32) -> OperationData {
        var data = OperationData(action: "replayed")
        data.add("destination", destination)
        data.add("replay", Int64(replay))
        data.add("from", from)
        data.add("to", to)
        if let product { data.add("product", product) }
        if !types.isEmpty { data.add("types", types.compactMap { EventType(rawValue: $0)?.name }) }
        return data
    }
}
