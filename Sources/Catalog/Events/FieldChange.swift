/// One field's old and new value.
package enum FieldChange: Sendable, Hashable {
    case code(from: String, to: String)
    case name(from: String, to: String)
    case model(from: String, to: String)
    case price(from: Price, to: Price)
    case url(from: String?, to: String?)
    case expiresAt(from: Timestamp?, to: Timestamp?)

    package var field: ProductField {
        switch self {
        case .code: .code
        case .name: .name
        case .model: .model
        case .price: .price
        case .url: .url
        case .expiresAt: .expiresAt
        }
    }

    /// What differs, in field order; texts are compared byte by byte.
    package static func between(_ old: ProductFields, _ new: ProductFields) -> [FieldChange] {
        var changes: [FieldChange] = []
        if !old.code.hasSameBytes(as: new.code) { changes.append(.code(from: old.code, to: new.code)) }
        if !old.name.hasSameBytes(as: new.name) { changes.append(.name(from: old.name, to: new.name)) }
        if !old.model.hasSameBytes(as: new.model) { changes.append(.model(from: old.model, to: new.model)) }
        if old.price != new.price { changes.append(.price(from: old.price, to: new.price)) }
        if !old.url.hasSameBytes(as: new.url) { changes.append(.url(from: old.url, to: new.url)) }
        if old.expiresAt != new.expiresAt {
            changes.append(.expiresAt(from: old.expiresAt, to: new.expiresAt))
        }
        return changes
    }

    // Equal bytes are equal strings, so the synthesised hash agrees with this equality.
    package static func == (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.code(let a, let b), .code(let c, let d)), (.name(let a, let b), .name(let c, let d)),
            (.model(let a, let b), .model(let c, let d)):
            a.hasSameBytes(as: c) && b.hasSameBytes(as: d)
        case (.price(let a, let b), .price(let c, let d)): a == c && b == d
        case (.url(let a, let b), .url(let c, let d)): a.hasSameBytes(as: c) && b.hasSameBytes(as: d)
        case (.expiresAt(let a, let b), .expiresAt(let c, let d)): a == c && b == d
        default: false
        }
    }

    /// Whether old and new value are the same, which no change is.
    var isIdle: Bool {
        switch self {
        case .code(let old, let new), .name(let old, let new), .model(let old, let new): old.hasSameBytes(as: new)
        case .price(let old, let new): old == new
        case .url(let old, let new): old.hasSameBytes(as: new)
        case .expiresAt(let old, let new): old == new
        }
    }

    /// Sets the field when it holds the old value; false, and nothing is done, when it does not.
    func apply(to fields: inout ProductFields) -> Bool {
        switch self {
        case .code(let old, let new): return Self.swap(&fields.code, old, new)
        case .name(let old, let new): return Self.swap(&fields.name, old, new)
        case .model(let old, let new): return Self.swap(&fields.model, old, new)
        case .price(let old, let new):
            guard fields.price == old else { return false }
            fields.price = new
        case .url(let old, let new):
            guard fields.url.hasSameBytes(as: old) else { return false }
            fields.url = new
        case .expiresAt(let old, let new):
            guard fields.expiresAt == old else { return false }
            fields.expiresAt = new
        }
        return true
    }

    private static func swap(_ text: inout String, _ old: String, _ new: String) -> Bool {
        guard text.hasSameBytes(as: old) else { return false }
        text = new
        return true
    }
}
