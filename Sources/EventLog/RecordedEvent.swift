package import Catalog
package import LibPQ

/// An event as it stands in the log, with the names that its numbers stand for.
package struct RecordedEvent: Sendable {
    package let position: Int64
    package let productID: Int64?
    package let recordedAt: Timestamp
    package let userNumber: Int32
    package let version: Int64?
    package let type: EventType
    package let auth: AuthMethod
    package let via: Via
    package let schema: Int16
    package let requestID: String
    package let trace: TraceContext?
    package let code: String?
    package let dataSalt: [UInt8]?
    /// Exact bytes as recorded.
    package let data: [UInt8]?
    /// Nil once erased.
    package let userID: String?
    package let actor: [UInt8]
    /// Nil once erased.
    package let userKey: [UInt8]?
    package let clientID: String?

    /// From `read_events`' columns; `offset` is the column of the position.
    package init(_ row: Row, offset: Int = 0) throws(PostgresError) {
        position = try row.int64(offset)
        productID = try row.optionalInt64(offset + 1)
        recordedAt = Timestamp(microseconds: try row.timestamp(offset + 2))
        userNumber = try row.int32(offset + 3)
        version = try row.optionalInt32(offset + 4).map(Int64.init)
        guard let type = EventType(rawValue: try row.int16(offset + 5)),
            let auth = AuthMethod(rawValue: try row.int16(offset + 6)),
            let via = Via(rawValue: try row.int16(offset + 7))
        else {
            throw PostgresError(
                code: .decoding,
                message: "event \(position) bears a type, auth or via that this program lacks"
            )
        }
        self.type = type
        self.auth = auth
        self.via = via
        schema = try row.int16(offset + 8)
        if let label = try row.optionalText(offset + 10) {
            requestID = label
        } else {
            let (high, low) = try row.uuid(offset + 9)
            requestID = UUIDv7(high: high, low: low).description
        }
        trace = try row.optionalBytes(offset + 11).flatMap(TraceContext.init(bytes:))
        code = try row.optionalText(offset + 12)
        dataSalt = try row.optionalBytes(offset + 13)
        data = try row.optionalBytes(offset + 14)
        userID = try row.optionalText(offset + 15)
        actor = try row.bytes(offset + 16)
        userKey = try row.optionalBytes(offset + 17)
        clientID = try row.optionalText(offset + 18)
    }

    /// Events after a position, in order, at most `limit`: how every reader walks the log.
    package static func read(
        _ session: Session,
        after position: Int64,
        upTo last: Int64 = .max,
        limit: Int32
    ) throws(PostgresError) -> [RecordedEvent] {
        let rows = try session.query(Statements.readEvents, Parameters().int64(position).int64(last).int32(limit))
        var events: [RecordedEvent] = []
        events.reserveCapacity(rows.count)
        for row in rows { events.append(try RecordedEvent(row)) }
        return events
    }
}
