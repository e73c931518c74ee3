package import EventLog
package import LibPQ

/// What is done with the events of a queue over the log, each once in effect.
package protocol Consumer: Sendable {
    /// Names its inbox, for good: under another name it has applied nothing.
    var name: String { get }

    /// Applies events in the transaction that puts them into the inbox: what it writes by `session` has its effect once,
    /// however often they are delivered. What it does elsewhere may be done again.
    ///
    /// Events of one product come in order, and never two at once. An error undoes the transaction; the events are then
    /// applied in smaller parts, in the end each alone, so that one that cannot be applied holds back its product only.
    /// What is kept of the error: see `ConsumerFault`. Begins and ends no transaction. Blocks the session's thread.
    func apply(_ events: ConsumedEvents, in session: Session) throws
}

/// Events that a consumer is to apply.
package struct ConsumedEvents: Sendable {
    /// Ascending; at least one.
    package let positions: [Int64]

    /// The events as the log has them, in order.
    package func read(_ session: Session) throws(PostgresError) -> [RecordedEvent] {
        try session.query(Statements.readMessageEvents, Parameters().int64Array(positions))
            .map { row throws(PostgresError) in try RecordedEvent(row) }
            .sorted { $0.position < $1.position }
    }
}
