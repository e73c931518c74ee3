package import Catalog
package import EventLog
import LibPQ

/// What auditors ask. Every query is itself an event, committed before anything is read for its answer: so no event
/// before it is still under way, and nobody looks without leaving a trace.
///
/// All methods throw `CommitError` and `PostgresError` when the database fails them, and `AuditFailure`.
package struct AuditQueries: Sendable {
    /// How many events one page of a list examines at most.
    package static let examinedLimit = 200_000
    package static let limits: ClosedRange<Int64> = 1...1_000
    package static let defaultLimit = 100
    /// How far ahead of the clock a time may lie and still count as now.
    static let tolerance: Int64 = 60_000_000

    let log: EventLog
    let context: RequestContext
    private let examinedLimit: Int

    /// - Parameter context: who asks.
    package init(log: EventLog, context: RequestContext, examinedLimit: Int = Self.examinedLimit) {
        self.log = log
        self.context = context
        self.examinedLimit = examinedLimit
    }

    /// Writes the query down; returns its position.
    ///
    /// - Parameter product: which product it names, though none can have that id.
    func record(_ query: QueryRecord, product: Int64? = nil) async throws(CommitError) -> Int64 {
        let productID = product.flatMap(ProductID.init)
        let beyondRange = productID == nil ? product : nil
        let note = Note(type: .auditQueried, productID: productID, beyondRange: beyondRange, data: query.bytes)
        guard let position = try await log.submit(.note(note), context: context).position else {
            throw .refused(sqlState: "XX000")
        }
        return position
    }

    /// A page of the events that pass a filter.
    package func events(_ filter: EventFilter, limit: Int = defaultLimit, cursor: EventCursor? = nil) async throws
        -> EventPage
    {
        try await page("events", filter, limit, cursor)
    }

    /// A page of what happened to a product; `filter` may narrow it.
    ///
    /// - Parameter product: any id: of one that no product can have there may be refusals.
    package func productEvents(
        _ product: Int64,
        _ filter: EventFilter = EventFilter(),
        limit: Int = defaultLimit,
        cursor: EventCursor? = nil
    ) async throws -> EventPage {
        var filter = filter
        filter.product = ProductID(product)
        filter.beyondRange = filter.product == nil ? product : nil
        return try await page("product-events", filter, limit, cursor)
    }

    /// A page of what a user did, his audit queries included; `filter` may narrow it.
    package func userEvents(
        _ user: UserID,
        _ filter: EventFilter = EventFilter(),
        limit: Int = defaultLimit,
        cursor: EventCursor? = nil
    ) async throws -> EventPage {
        var filter = filter
        filter.users = [user]
        filter.includesQueries = true
        return try await page("user-events", filter, limit, cursor)
    }

    /// The event at a position.
    package func event(at position: Int64) async throws -> (event: RecordedEvent, queryPosition: Int64) {
        var query = QueryRecord("event")
        query.add("position", position)
        let queryPosition = try await record(query)
        let events = try await log.readers.withConnection { session in try Self.read(session, [position]) }
        guard let event = events.first else {
            throw AuditFailure(.noSuchEvent, "the log has no event at position \(position)", at: queryPosition)
        }
        return (event, queryPosition)
    }

    private func page(_ name: String, _ filter: EventFilter, _ limit: Int, _ cursor: EventCursor?) async throws
        -> EventPage
    {
        var numbers = try await log.readers.withConnection { session in try FilterNumbers.read(session, filter) }
        var query = QueryRecord(name)
        query.add(filter, numbers)
        query.add("limit", Int64(limit))
        if let cursor {
            query.add("head", cursor.head)
            query.add("after", cursor.position)
        }
        let queryPosition = try await record(query, product: filter.productNumber)
        let head = min(cursor?.head ?? queryPosition, queryPosition)
        if numbers.users.count < filter.users.count {
            // Somebody may have been registered by this very query.
            numbers = try await log.readers.withConnection { session in try FilterNumbers.read(session, filter) }
        }
        let criteria = EventCriteria(filter, numbers)
        let (events, rest) = try await log.readers.withConnection { [examinedLimit] session in
            var range = try Self.range(session, filter, head: head)
            if let cursor { range = range.rest(after: cursor.position) }
            let scan = EventScan(session: session, criteria: criteria, examinedLimit: examinedLimit)
            let found = try scan.first(limit, of: range)
            let events = try Self.read(session, found.positions)
            return (range.order == .oldestFirst ? events : events.reversed(), found.rest)
        }
        let next = rest.isEmpty ? nil : EventCursor(head: head, position: rest.frontier)
        return EventPage(events: events, next: next, queryPosition: queryPosition)
    }

    /// Events by their positions, oldest first.
    private static func read(_ session: Session, _ positions: [Int64]) throws -> [RecordedEvent] {
        guard !positions.isEmpty else { return [] }
        var events: [RecordedEvent] = []
        events.reserveCapacity(positions.count)
        for row in try session.query(Statements.auditReadEvents, Parameters().int64Array(positions)) {
            events.append(try RecordedEvent(row))
        }
        return events
    }

    private static func range(_ session: Session, _ filter: EventFilter, head: Int64) throws -> PositionRange {
        let clock = LogClock(session: session)
        /// The last position before a bound.
        func last(before bound: LogBound) throws -> Int64 {
            switch bound {
            case .time(let time): try clock.position(at: time.advanced(byMicroseconds: -1))
            case .position(let position): position - 1
            }
        }
        return PositionRange(
            low: max(0, try filter.from.map(last(before:)) ?? 0),
            high: min(head, try filter.to.map(last(before:)) ?? head),
            order: filter.order
        )
    }
}
