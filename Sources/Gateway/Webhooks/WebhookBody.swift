import Catalog
import Delivery

/// The body of a request that makes or changes a webhook; every fault is told at once.
struct WebhookBody {
    enum Purpose {
        case create, patch
    }

    private(set) var name: String?
    /// The first position to deliver.
    private(set) var from: Int64?
    private(set) var change = WebhookChange()
    private let purpose: Purpose
    private var faults: [FieldFault] = []

    init(_ json: JSONValue, for purpose: Purpose) throws(FieldFaults) {
        self.purpose = purpose
        guard case .object(let members) = json else {
            throw FieldFaults([FieldFault(pointer: "", code: .type, detail: "must be an object, not \(json.kind)")])
        }
        for member in members { read(member) }
        if case .create = purpose {
            if json["name"] == nil { fail("/name", .required, "is required") }
            if json["url"] == nil { fail("/url", .required, "is required") }
        }
        if faults.isEmpty, let fault = change.fault { fail("", .format, fault) }
        guard faults.isEmpty else { throw FieldFaults(faults) }
    }

    private mutating func read(_ member: JSONMember) {
        switch (member.key, purpose) {
        case ("name", .create): name = readName(member.value)
        case ("from", .create): from = readNumber(member.value, "/from", in: 1...Int64.max)
        case ("url", _): change.url = readText(member.value, "/url")
        case ("timeoutSeconds", _):
            change.timeoutSeconds = readNumber(member.value, "/timeoutSeconds", in: 1...30).map { Int($0) }
        case ("concurrency", _):
            change.concurrency = readNumber(member.value, "/concurrency", in: 1...64).map { Int($0) }
        case ("types", _): change.types = readTypes(member.value)
        case ("products", _): change.products = readProducts(member.value)
        case ("paused", .patch): change.isPaused = readFlag(member.value, "/paused")
        default:
            guard faults.count < FieldFaults.limit else { return }
            faults.append(.unknownField(member.key))
        }
    }

    private mutating func readName(_ value: JSONValue) -> String? {
        guard let text = readText(value, "/name") else { return nil }
        guard DestinationName.isValid(text) else {
            fail("/name", .format, "must be letters, digits, '.', '_' and '-', at most 80, a letter or digit first")
            return nil
        }
        return text
    }

    private mutating func readTypes(_ value: JSONValue) -> [EventType]? {
        readArray(value, "/types") { reader, value, pointer in
            guard let name = reader.readText(value, pointer) else { return nil }
            guard let type = EventType(name: name) else {
                let names = EventType.allCases.map(\.name).joined(separator: ", ")
                reader.fail(pointer, .format, "is no event type; there are \(names)")
                return nil
            }
            return type
        }
    }

    private mutating func readProducts(_ value: JSONValue) -> [Int64]? {
        readArray(value, "/products") { $0.readNumber($1, $2, in: 1...ProductID.largest) }
    }

    /// So many types or products may be named.
    private static let listLimit = 1_000

    private mutating func readArray<Element>(
        _ value: JSONValue,
        _ pointer: String,
        _ read: (inout Self, JSONValue, String) -> Element?
    ) -> [Element]? {
        guard case .array(let values) = value else {
            fail(pointer, .type, "must be an array, not \(value.kind)")
            return nil
        }
        guard values.count <= Self.listLimit else {
            fail(pointer, .tooLong, "must have at most \(Self.listLimit) elements")
            return nil
        }
        return values.enumerated().compactMap { read(&self, $1, "\(pointer)/\($0)") }
    }

    private mutating func readText(_ value: JSONValue, _ pointer: String) -> String? {
        guard case .string(let text) = value else {
            fail(pointer, .type, "must be a string, not \(value.kind)")
            return nil
        }
        return text
    }

    private mutating func readFlag(_ value: JSONValue, _ pointer: String) -> Bool? {
        guard case .bool(let flag) = value else {
            fail(pointer, .type, "must be a boolean, not \(value.kind)")
            return nil
        }
        return flag
    }

    private mutating func readNumber(_ value: JSONValue, _ pointer: String, in range: ClosedRange<Int64>) -> Int64? {
        guard case .number(let digits) = value, let number = Int64(canonical: digits) else {
            fail(pointer, .type, "must be an integer")
            return nil
        }
        guard range.contains(number) else {
            fail(pointer, .range, "must be between \(range.lowerBound) and \(range.upperBound)")
            return nil
        }
        return number
    }

    private mutating func fail(_ pointer: String, _ code: FieldFault.Code, _ detail: String) {
        guard faults.count < FieldFaults.limit else { return }
        faults.append(FieldFault(pointer: pointer, code: code, detail: detail))
    }
}
