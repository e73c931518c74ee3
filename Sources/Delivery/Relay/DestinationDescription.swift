package import Catalog
import EventLog
package import LibPQ

/// A destination as its row tells.
package struct DestinationDescription: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        case sqs
        case jetstream
        case webhook
    }

    package let id: Int32
    package let name: String
    package let kind: Kind
    /// Where and how, without secrets.
    package let configuration: JSONValue
    package let selection: EventSelection

    package init(id: Int32, name: String, kind: Kind, configuration: JSONValue, selection: EventSelection) {
        self.id = id
        self.name = name
        self.kind = kind
        self.configuration = configuration
        self.selection = selection
    }

    /// From a name, a kind, a configuration, types and products, in this order.
    init(id: Int32, _ row: Row, offset: Int, after cursor: Int64) throws(PostgresError) {
        self.id = id
        name = try row.text(offset)
        guard let kind = Kind(rawValue: try row.text(offset + 1)),
            let configuration = try? JSONParser.parse(try row.bytes(offset + 2))
        else {
            throw PostgresError(code: .decoding, message: "the destination \(id) is of a kind that this program lacks")
        }
        self.kind = kind
        self.configuration = configuration
        selection = EventSelection(
            types: try row.int16Array(offset + 3).compactMap(EventType.init(rawValue:)),
            products: try row.int64Array(offset + 4),
            after: cursor
        )
    }
}

/// A destination and how far it is.
package struct DestinationStatus: Sendable {
    package let destination: DestinationDescription
    /// Every event up to here was accepted, parked or held.
    package let cursor: Int64
    /// Events after the cursor, whether selected or not.
    package let behind: Int64
    /// When the first of them was recorded; nil when there is none.
    package let oldest: Timestamp?
    package let isPaused: Bool
    /// Nil when nobody relays to it.
    package let owner: String?
    package let lastError: String?
    package let lastErrorAt: Timestamp?
    /// Since when the destination as a whole gives no proper answer; nil while it answers.
    package let failingSince: Timestamp?
    package let createdAt: Timestamp
    package let parked: Int64
    /// Products that wait behind a parked event, or for room.
    package let heldProducts: Int64

    /// All that are not removed, by name.
    package static func read(_ session: Session) throws(PostgresError) -> [DestinationStatus] {
        var all: [DestinationStatus] = []
        for row in try session.query(Statements.listDestinations) {
            let cursor = try row.int64(6)
            all.append(
                DestinationStatus(
                    destination: try DestinationDescription(id: row.int32(0), row, offset: 1, after: cursor),
                    cursor: cursor,
                    behind: max(0, try row.int64(13) - cursor),
                    oldest: try row.optionalTimestamp(16).map(Timestamp.init(microseconds:)),
                    isPaused: try row.bool(8),
                    owner: try row.optionalText(9),
                    lastError: try row.optionalText(10),
                    lastErrorAt: try row.optionalTimestamp(11).map(Timestamp.init(microseconds:)),
                    failingSince: try row.optionalTimestamp(17).map(Timestamp.init(microseconds:)),
                    createdAt: Timestamp(microseconds: try row.timestamp(12)),
                    parked: try row.int64(14),
                    heldProducts: try row.int64(15)
                )
            )
        }
        return all
    }
}

/// An event that a destination refused for good; its product's later events wait.
package struct ParkedEvent: Sendable {
    package let destination: String
    package let position: Int64
    /// Nil for an event about no product.
    package let product: Int64?
    /// The replay that it is part of; nil: live.
    package let replay: Int32?
    package let error: String
    package let parkedAt: Timestamp

    /// The oldest, at most `limit`.
    package static func read(
        _ session: Session,
        destination: String? = nil,
        position: Int64? = nil,
        limit: Int32
    ) throws(PostgresError) -> [ParkedEvent] {
        var events: [ParkedEvent] = []
        let parameters = Parameters().text(destination).int64(position).int32(limit)
        for row in try session.query(Statements.listParked, parameters) {
            let (group, replay) = (try row.int64(2), try row.int32(3))
            events.append(
                ParkedEvent(
                    destination: try row.text(0),
                    position: try row.int64(1),
                    product: group == 0 ? nil : group,
                    replay: replay == 0 ? nil : replay,
                    error: try row.text(4),
                    parkedAt: Timestamp(microseconds: try row.timestamp(5))
                )
            )
        }
        return events
    }
}
