import Catalog

/// Reads the members of a JSON object as AWS JSON 1.0 has them: null is absent, unknown members are passed over.
struct ObjectReader {
    private let object: JSONValue
    private let name: String

    /// - Parameter name: what to call it in errors.
    init(_ value: JSONValue, named name: String) throws(SQSError) {
        guard case .object = value else { throw .wrongType(name, value) }
        object = value
        self.name = name
    }

    /// Nil when it is absent or null.
    subscript(name: String) -> JSONValue? { object[name].flatMap { $0 == .null ? nil : $0 } }

    func text(_ name: String) throws(SQSError) -> String? {
        switch self[name] {
        case nil: return nil
        case .string(let text)?: return text
        case let value?: throw .wrongType(name, value)
        }
    }

    /// - Throws: `MissingParameter` also when it is empty.
    func required(_ name: String) throws(SQSError) -> String {
        guard let text = try text(name), !text.isEmpty else { throw .missingParameter(name) }
        return text
    }

    func integer(_ name: String) throws(SQSError) -> Int? {
        switch self[name] {
        case nil: return nil
        case .number(let text)?:
            guard let number = Int(text) else { throw .serialization("\(name) must be an integer.") }
            return number
        case let value?: throw .wrongType(name, value)
        }
    }

    /// - Parameter rule: what follows "Reason: ".
    func integer(_ name: String, in range: ClosedRange<Int>, _ rule: String) throws(SQSError) -> Int? {
        guard let number = try integer(name) else { return nil }
        guard range.contains(number) else {
            throw .invalidParameterValue(name, value: String(number), rule)
        }
        return number
    }

    /// Empty when it is absent.
    func texts(_ name: String) throws(SQSError) -> [String] {
        var texts: [String] = []
        for item in try items(name) {
            guard case .string(let text) = item else { throw .wrongType(name, item) }
            texts.append(text)
        }
        return texts
    }

    func items(_ name: String) throws(SQSError) -> [JSONValue] {
        switch self[name] {
        case nil: return []
        case .array(let items)?: return items
        case let value?: throw .wrongType(name, value)
        }
    }

    /// A map of texts in the order of the request; nil when it is absent.
    func map(_ name: String) throws(SQSError) -> [(name: String, value: String)]? {
        switch self[name] {
        case nil: return nil
        case .object(let members)?:
            var pairs: [(name: String, value: String)] = []
            for member in members {
                guard case .string(let text) = member.value else {
                    throw .wrongType(member.key, member.value)
                }
                pairs.append((member.key, text))
            }
            return pairs
        case let value?: throw .wrongType(name, value)
        }
    }

    /// The queue that `QueueUrl` names.
    func queue() throws(SQSError) -> QueueName { try QueueName(url: try required("QueueUrl")) }
}
