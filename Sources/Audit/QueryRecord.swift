import Catalog
import EventLog

/// The `data` of an AUDIT_QUERIED event: `{"query": "product-events", "product": 5, …}`. Users stand in it by number
/// only, so that an erased id is gone from here too; users that the log does not know are counted: `"unknownUsers": 1`.
struct QueryRecord {
    private var writer = JSONWriter(reserving: 192)

    init(_ query: String) {
        writer.beginObject()
        writer.member("query", query)
    }

    var bytes: [UInt8] {
        var writer = writer
        writer.endObject()
        return writer.bytes
    }

    mutating func add(_ name: StaticString, _ value: Int64) { writer.member(name, value) }
    mutating func add(_ name: StaticString, _ value: String) { writer.member(name, value) }
    mutating func add(_ name: StaticString, _ time: Timestamp) { writer.member(name, time) }

    /// Left out when empty.
    mutating func add(_ name: StaticString, _ values: [JSONValue]) {
        if !values.isEmpty { writer.member(name, .array(values)) }
    }

    mutating func add(_ filter: EventFilter, _ numbers: FilterNumbers) {
        if let product = filter.productNumber { add("product", product) }
        let unknown = Set(filter.users).count - numbers.users.count
        add("users", numbers.users.values.sorted().map { JSONValue.integer($0) })
        if unknown > 0 { add("unknownUsers", Int64(unknown)) }
        add("types", filter.types.map { .string($0.name) })
        add("clients", filter.clients.map(JSONValue.string))
        if let request = filter.request { add("request", request) }
        add("via", filter.vias.map { .string($0.name) })
        add("actions", filter.actions.map(JSONValue.string))
        if let from = filter.from { add("from", from.description) }
        if let to = filter.to { add("to", to.description) }
        if filter.order == .newestFirst { add("order", filter.order.rawValue) }
        if filter.includesQueries { add("include", "queries") }
    }
}
