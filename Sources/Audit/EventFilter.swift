package import Catalog
package import EventLog

/// Which events a list shows. Members that are empty or nil filter nothing; all others combine.
package struct EventFilter: Sendable, Hashable {
    package var product: ProductID?
    /// An id that no product can have, in place of `product`: refusals name such ids.
    package var beyondRange: Int64?
    /// One of these.
    package var users: [UserID] = []
    package var types: [EventType] = []
    /// API keys' public ids.
    package var clients: [String] = []
    /// A request's label or id.
    package var request: String?
    package var vias: [Via] = []
    /// Actions of OPERATED events.
    package var actions: [String] = []
    /// Inclusive.
    package var from: LogBound?
    /// Exclusive.
    package var to: LogBound?
    package var order: Order = .oldestFirst
    /// Show AUDIT_QUERIED although neither `types` nor `request` asks for it.
    package var includesQueries = false

    package init() {}

    package enum Order: String, Sendable, Hashable {
        case oldestFirst = "asc"
        case newestFirst = "desc"
    }

    /// Everything that decides what is listed, in one fixed and unambiguous form: what a cursor is bound to.
    package var canonical: String {
        var writer = JSONWriter()
        writer.beginArray()
        writer.value(productNumber.map { .integer($0) } ?? .null)
        for list in [users.map(\.description), types.map(\.name), clients, vias.map(\.name), actions] {
            writer.value(.array(list.map(JSONValue.string)))
        }
        for text in [request, from?.description, to?.description] {
            if let text { writer.string(text) } else { writer.null() }
        }
        writer.string(order.rawValue)
        writer.bool(includesQueries)
        writer.endArray()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    var productNumber: Int64? { product?.rawValue ?? beyondRange }

    /// The types to look for; nil for all.
    var wantedTypes: [EventType]? {
        if !types.isEmpty { return types }
        return includesQueries || request != nil ? nil : EventType.allCases.filter { $0 != .auditQueried }
    }
}

/// An end of a range of the log.
package enum LogBound: Sendable, Hashable, CustomStringConvertible {
    case time(Timestamp)
    case position(Int64)

    /// Reads an RFC 3339 time or `position:N` (N ≥ 0); nil for anything else.
    package init?(_ text: String) {
        let prefix = "position:"
        if text.utf8.starts(with: prefix.utf8) {
            let digits = text.utf8.dropFirst(prefix.utf8.count)
            guard digits.first != UInt8(ascii: "+"), let position = Int64(String(digits) ?? ""), position >= 0 else {
                return nil
            }
            self = .position(position)
        } else {
            guard let time = Timestamp(rfc3339: text) else { return nil }
            self = .time(time)
        }
    }

    package var description: String {
        switch self {
        case .time(let time): time.description
        case .position(let position): "position:\(position)"
        }
    }
}

/// Where a list of events goes on.
package struct EventCursor: Sendable, Hashable {
    /// The log's end that the first page saw: the whole walk sees this one log.
    package let head: Int64
    /// The last position that was examined.
    package let position: Int64

    package init(head: Int64, position: Int64) {
        (self.head, self.position) = (head, position)
    }
}

/// One page of a list of events.
package struct EventPage: Sendable {
    package let events: [RecordedEvent]
    /// Nil when the walk is at its end. A page may be short, or even empty, and yet have a next one: a request examines
    /// `AuditQueries.examinedLimit` events at most.
    package let next: EventCursor?
    /// The position of the query's own AUDIT_QUERIED event.
    package let queryPosition: Int64
}
