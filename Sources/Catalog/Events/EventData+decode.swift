/// Why stored data cannot be read.
package enum EventDataError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Written by a newer program.
    case unknownSchema(Int16)
    /// Events of this type hold no product data.
    case noProductData(EventType)
    case malformed(JSONError)
    /// The member at this JSON pointer is missing, unexpected or wrong.
    case wrongMember(String)

    package var description: String {
        switch self {
        case .unknownSchema(let schema): "its schema \(schema) is not known to this program"
        case .noProductData(let type): "events of type \(type.name) hold no product data"
        case .malformed(let error): "its data is no JSON: \(error.message)"
        case .wrongMember(let pointer): "its data is wrong at \"\(pointer)\""
        }
    }
}

extension EventData {
    /// Reads what `encode` wrote. Members may stand in any order; each must be there, and nothing else.
    package static func decode(
        type: EventType,
        schema: Int16 = DataSchema.current,
        bytes: some Collection<UInt8>
    ) throws(EventDataError) -> EventData {
        guard schema == DataSchema.current else { throw .unknownSchema(schema) }
        guard type.isChange else { throw .noProductData(type) }
        let json: JSONValue
        do { json = try JSONParser.parse(bytes) } catch { throw .malformed(error) }
        guard case .object(let members) = json else { throw .wrongMember("") }
        switch type {
        case .created: return .created(try ProductReader.product(members))
        case .updated: return .updated(try ProductReader.changes(members))
        default: return .deleted(try ProductReader.product(members))
        }
    }
}

extension Product {
    /// Reads what `encode` wrote. Values are taken as they stand: what was stored once is not judged by today's rules.
    package init(json: JSONValue) throws(EventDataError) {
        guard case .object(let members) = json else { throw .wrongMember("") }
        self = try ProductReader.product(members)
    }
}

/// Reads products and changes from stored members.
private enum ProductReader {

    static func product(_ members: [JSONMember]) throws(EventDataError) -> Product {
        var members = Members(members)
        guard let id = ProductID(try members.integer("id")) else { throw .wrongMember("/id") }
        let fields = ProductFields(
            code: try text(try members.take("code"), "/code"),
            name: try text(try members.take("name"), "/name"),
            model: try text(try members.take("model"), "/model"),
            price: try price(try members.take("price"), "/price"),
            url: try optional(try members.take("url"), "/url", text),
            expiresAt: try optional(try members.take("expiresAt"), "/expiresAt", time)
        )
        let product = Product(
            id: id,
            fields: fields,
            version: try members.integer("version"),
            createdAt: try time(try members.take("createdAt"), "/createdAt"),
            updatedAt: try time(try members.take("updatedAt"), "/updatedAt")
        )
        guard members.isExhausted else { throw .wrongMember("") }
        return product
    }

    static func changes(_ members: [JSONMember]) throws(EventDataError) -> [FieldChange] {
        guard !members.isEmpty else { throw .wrongMember("") }
        var changes: [FieldChange] = []
        for member in members {
            let change = try change(member)
            guard !change.isIdle else { throw .wrongMember("/\(member.key)") }
            changes.append(change)
        }
        return changes
    }

    private static func change(_ member: JSONMember) throws(EventDataError) -> FieldChange {
        let at = "/\(member.key)"
        guard let field = ProductField(rawValue: member.key), case .object(let pair) = member.value, pair.count == 2
        else { throw .wrongMember(at) }
        var members = Members(pair)
        let (from, to) = (try members.take("from"), try members.take("to"))
        switch field {
        case .code: return .code(from: try text(from, at), to: try text(to, at))
        case .name: return .name(from: try text(from, at), to: try text(to, at))
        case .model: return .model(from: try text(from, at), to: try text(to, at))
        case .price: return .price(from: try price(from, at), to: try price(to, at))
        case .url: return .url(from: try optional(from, at, text), to: try optional(to, at, text))
        case .expiresAt: return .expiresAt(from: try optional(from, at, time), to: try optional(to, at, time))
        }
    }

    private static func text(_ value: JSONValue, _ pointer: String) throws(EventDataError) -> String {
        guard case .string(let text) = value else { throw .wrongMember(pointer) }
        return text
    }

    private static func price(_ value: JSONValue, _ pointer: String) throws(EventDataError) -> Price {
        guard case .number(let text) = value, let price = Price(decimal: text) else { throw .wrongMember(pointer) }
        return price
    }

    private static func time(_ value: JSONValue, _ pointer: String) throws(EventDataError) -> Timestamp {
        guard case .string(let text) = value, let time = Timestamp(rfc3339: text) else {
            throw .wrongMember(pointer)
        }
        return time
    }

    private static func optional<Value>(
        _ value: JSONValue,
        _ pointer: String,
        _ read: (JSONValue, String) throws(EventDataError) -> Value
    ) throws(EventDataError) -> Value? {
        if case .null = value { return nil }
        return try read(value, pointer)
    }
}

/// An object's members, taken one by one; in the written order each look is one comparison.
private struct Members {
    private let members: [JSONMember]
    private var next = 0
    private var taken = 0

    init(_ members: [JSONMember]) { self.members = members }

    /// Keys are unique, so as many taken as there are means that nothing is left.
    var isExhausted: Bool { taken == members.count }

    mutating func take(_ key: String) throws(EventDataError) -> JSONValue {
        let found = next < members.count && members[next].key == key
        guard let index = found ? next : members.firstIndex(where: { $0.key == key }) else {
            throw .wrongMember("/\(key)")
        }
        next = index + 1
        taken += 1
        return members[index].value
    }

    mutating func integer(_ key: String) throws(EventDataError) -> Int64 {
        guard case .number(let text) = try take(key), let number = Int64(text) else { throw .wrongMember("/\(key)") }
        return number
    }
}
