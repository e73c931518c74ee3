import Audit
import Catalog
import EventLog
import Hummingbird

/// The query of an audit list: parameters that may repeat, and those that may not.
struct AuditParameters {
    /// What every list of events takes, beside `limit` and `cursor`.
    static let filters = ["type", "client", "via", "action", "request", "from", "to", "order", "include"]
    private static let repeatable = ["type", "user", "client", "via", "action"]
    /// How often one parameter may be given.
    private static let repeatLimit = 50

    /// Those that are given at most once.
    let single: QueryParameters
    private var repeated: [String: [String]] = [:]
    /// As sent, without the cursor.
    private let sent: String

    /// - Parameter known: beside `limit` and `cursor`.
    /// - Throws: `invalid-query`.
    init(_ request: Request, known: [String]) throws(Problem) {
        let known = known + ["limit", "cursor"]
        var rest: [Substring] = []
        var kept: [Substring] = []
        for pair in (request.uri.query ?? "").split(separator: "&") {
            let name = String(pair.prefix { $0 != "=" })
            if name != "cursor" { kept.append(pair) }
            guard Self.repeatable.contains(name), known.contains(name) else {
                rest.append(pair)
                continue
            }
            let one = try QueryParameters(query: String(pair), known: known)
            guard let value = try one.text(name) else { continue }
            repeated[name, default: []].append(value)
            guard repeated[name, default: []].count <= Self.repeatLimit else {
                throw Problem(.invalidQuery, "'\(name)' may be given \(Self.repeatLimit) times at most")
            }
        }
        single = try QueryParameters(query: rest.joined(separator: "&"), known: known)
        sent = kept.joined(separator: "&")
    }

    func limit() throws(Problem) -> Int {
        Int(try single.integer("limit", in: AuditQueries.limits) ?? Int64(AuditQueries.defaultLimit))
    }

    /// Where the next page is.
    func link(to cursor: String, path: String) -> String {
        "\(path)?\(sent.isEmpty ? "" : sent + "&")cursor=\(cursor)"
    }

    /// - Throws: `invalid-query`.
    func filter() throws(Problem) -> EventFilter {
        var filter = EventFilter()
        if let id = try single.integer("product", in: 1...Int64.max) { filter.narrow(to: PathID(number: id)) }
        filter.users = try each("user", "a user id") { UserID(any: $0) }
        filter.types = try each("type", list(EventType.allCases)) { EventType(name: $0) }
        filter.clients = try each("client", "an API key's id") { Self.isLabel($0) ? $0 : nil }
        filter.vias = try each("via", list(Via.allCases)) { Via(name: $0) }
        filter.actions = try each("action", "an action such as key.created") { Self.isLabel($0) ? $0 : nil }
        filter.request = try single("request", "a request id: [A-Za-z0-9._-]{1,128}") { Self.isLabel($0) ? $0 : nil }
        filter.from = try single("from", "an RFC 3339 time or position:N") { LogBound($0) }
        filter.to = try single("to", "an RFC 3339 time or position:N") { LogBound($0) }
        filter.order = try single("order", "asc or desc") { EventFilter.Order(rawValue: $0) } ?? .oldestFirst
        filter.includesQueries = try single("include", "queries") { $0 == "queries" ? true : nil } ?? false
        return filter
    }

    private func each<Value>(
        _ name: String,
        _ expected: String,
        _ read: (String) -> Value?
    ) throws(Problem) -> [Value] {
        var values: [Value] = []
        for text in repeated[name] ?? [] {
            guard let value = read(text) else { throw Self.problem(name, text, expected) }
            values.append(value)
        }
        return values
    }

    private func single<Value>(
        _ name: String,
        _ expected: String,
        _ read: (String) -> Value?
    ) throws(Problem) -> Value? {
        guard let text = single[name] else { return nil }
        guard let value = read(text) else { throw Self.problem(name, text, expected) }
        return value
    }

    private func list(_ names: [some CustomStringConvertible]) -> String {
        "one of " + names.map(\.description).joined(separator: ", ")
    }

    private static func problem(_ name: String, _ text: String, _ expected: String) -> Problem {
        Problem(.invalidQuery, "'\(text.excerpt)' does not fit '\(name)', which must be \(expected)")
    }

    private static func isLabel(_ text: String) -> Bool { EventRequestID(label: text) != nil }
}

extension EventFilter {
    /// Shows only what happened to a product, or at an id that none can have.
    mutating func narrow(to path: PathID) {
        switch path {
        case .id(let id): product = id
        case .beyondRange(let number): beyondRange = number
        }
    }
}

extension QueryParameters {
    /// A moment; nil when absent.
    func time(_ name: String) throws(Problem) -> Timestamp? {
        guard let text = self[name] else { return nil }
        guard let time = Timestamp(rfc3339: text) else {
            throw Problem(
                .invalidQuery,
                "'\(name)' must be an RFC 3339 time such as 2026-11-24T14:03:00Z (a plus sign is sent as %2B)"
            )
        }
        return time
    }
}
