/// What an event about a product's change holds.
package enum EventData: Sendable, Hashable {
    /// CREATED: the product.
    case created(Product)
    /// UPDATED: what changed, in field order; never empty.
    case updated([FieldChange])
    /// DELETED and EXPIRED: the product as it last was.
    case deleted(Product)

    /// The exact bytes to store and hash.
    package func encode() -> [UInt8] {
        switch self {
        case .created(let product), .deleted(let product):
            return product.encode()
        case .updated(let changes):
            var writer = JSONWriter(reserving: 96)
            writer.changes(changes)
            return writer.bytes
        }
    }
}

extension JSONWriter {
    /// `{"price":{"from":19.9,"to":17.9}}`, in the order of the changes.
    package mutating func changes(_ changes: [FieldChange]) {
        beginObject()
        for change in changes {
            switch change {
            case .code(let old, let new): member("code", from: old, to: new)
            case .name(let old, let new): member("name", from: old, to: new)
            case .model(let old, let new): member("model", from: old, to: new)
            case .price(let old, let new): member("price", from: old, to: new)
            case .url(let old, let new): member("url", from: old, to: new)
            case .expiresAt(let old, let new): member("expiresAt", from: old, to: new)
            }
        }
        endObject()
    }

    private mutating func member(_ name: StaticString, from old: String?, to new: String?) {
        key(name)
        beginObject()
        member("from", old)
        member("to", new)
        endObject()
    }

    private mutating func member(_ name: StaticString, from old: Price, to new: Price) {
        key(name)
        beginObject()
        member("from", old)
        member("to", new)
        endObject()
    }

    private mutating func member(_ name: StaticString, from old: Timestamp?, to new: Timestamp?) {
        key(name)
        beginObject()
        member("from", old)
        member("to", new)
        endObject()
    }
}
