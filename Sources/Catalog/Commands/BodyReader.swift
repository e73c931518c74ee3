/// Reads the members of a product's body and gathers every fault instead of stopping at the first.
struct BodyReader {
    /// What the body is for decides which members it may and must have.
    enum Purpose {
        case create
        case replace(ProductID)
        case patch(ProductID)
    }

    private(set) var id: ProductID?
    private(set) var code: String?
    private(set) var name: String?
    private(set) var model: String?
    private(set) var price: Price?
    private(set) var url: String??
    private(set) var expiresAt: Timestamp??

    private let purpose: Purpose
    private var faults: [FieldFault] = []
    private var present: Set<ProductField> = []

    /// Throws all faults at once.
    init(_ body: JSONValue, for purpose: Purpose) throws(FieldFaults) {
        self.purpose = purpose
        guard case .object(let members) = body else {
            let detail = "the body must be an object, not \(body.kind)"
            throw FieldFaults([FieldFault(pointer: "", code: .type, detail: detail)])
        }
        for member in members { read(member) }
        if case .patch = purpose {} else { noteMissing() }
        guard faults.isEmpty else { throw FieldFaults(faults) }
    }

    private mutating func read(_ member: JSONMember) {
        guard let field = ProductField(rawValue: member.key) else { return readOther(member) }
        present.insert(field)
        switch field {
        case .code: code = requiredText(member.value, field, .code)
        case .name: name = requiredText(member.value, field, .name)
        case .model: model = requiredText(member.value, field, .model)
        case .price: price = readPrice(member.value)
        case .url: url = member.value == .null ? .some(nil) : text(member.value, field, .url).map { .some($0) }
        case .expiresAt: expiresAt = member.value == .null ? .some(nil) : readTime(member.value, field)
        }
    }

    private mutating func readOther(_ member: JSONMember) {
        switch (member.key, purpose) {
        case ("id", .create):
            if member.value != .null { id = readID(member.value) }
        case ("id", .replace(let expected)), ("id", .patch(let expected)):
            guard let found = readID(member.value), found != expected else { return }
            fail("/id", .mismatch, "must be the id in the path")
        case ("version", .replace), ("version", .patch), ("createdAt", .replace), ("createdAt", .patch),
            ("updatedAt", .replace), ("updatedAt", .patch):
            return
        default:
            guard faults.count < FieldFaults.limit else { return }
            faults.append(.unknownField(member.key))
        }
    }

    private mutating func noteMissing() {
        for field in [ProductField.code, .name, .price] where !present.contains(field) {
            fail(field.pointer, .required, "is required")
        }
    }

    private mutating func requiredText(_ value: JSONValue, _ field: ProductField, _ rule: TextRule) -> String? {
        guard value != .null else {
            fail(field.pointer, .required, "must not be null")
            return nil
        }
        return text(value, field, rule)
    }

    private mutating func text(_ value: JSONValue, _ field: ProductField, _ rule: TextRule) -> String? {
        guard case .string(let text) = value else {
            fail(field.pointer, .type, "must be a string, not \(value.kind)")
            return nil
        }
        if let fault = rule.fault(text, at: field) {
            faults.append(fault)
            return nil
        }
        return text
    }

    private mutating func readPrice(_ value: JSONValue) -> Price? {
        switch value {
        case .null:
            fail("/price", .required, "must not be null")
        case .number(let text):
            switch Price.parse(text) {
            case .success(let price): return price
            case .failure(.negative): fail("/price", .range, "must not be negative")
            case .failure(.tooLarge): fail("/price", .range, "must not exceed 99999999999.9999")
            case .failure(.tooManyDecimals): fail("/price", .precision, "has more than 4 decimals")
            case .failure(.notANumber): fail("/price", .type, "must be a number")
            }
        default:
            fail("/price", .type, "must be a number, not \(value.kind)")
        }
        return nil
    }

    private mutating func readTime(_ value: JSONValue, _ field: ProductField) -> Timestamp?? {
        guard case .string(let text) = value else {
            fail(field.pointer, .type, "must be a string, not \(value.kind)")
            return nil
        }
        guard let time = Timestamp(rfc3339: text) else {
            fail(field.pointer, .format, "must be an RFC 3339 date and time, such as 2030-01-31T12:00:00Z")
            return nil
        }
        return time
    }

    private mutating func readID(_ value: JSONValue) -> ProductID? {
        guard case .number(let text) = value else {
            fail("/id", .type, "must be an integer, not \(value.kind)")
            return nil
        }
        guard let number = DecimalNumber(text), number.exponent >= 0 else {
            fail("/id", .type, "must be an integer")
            return nil
        }
        guard let id = number.scaled(by: 0).flatMap({ ProductID($0) }) else {
            fail("/id", .range, "must be between 1 and \(ProductID.largest)")
            return nil
        }
        return id
    }

    private mutating func fail(_ pointer: String, _ code: FieldFault.Code, _ detail: String) {
        faults.append(FieldFault(pointer: pointer, code: code, detail: detail))
    }
}
