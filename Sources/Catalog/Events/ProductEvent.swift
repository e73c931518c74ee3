/// An event about a product that is to be recorded.
package struct ProductEvent: Sendable, Hashable {
    package let productID: ProductID
    package let type: EventType
    /// The version that the change makes, or that the fetch sees.
    package let version: Int64
    /// The product's code at that moment, after the change.
    package let code: String
    /// Nil for a fetch.
    package let data: EventData?

    /// The product as it begins.
    package static func created(_ product: Product) -> ProductEvent {
        ProductEvent(product, .created, version: product.version, data: .created(product))
    }

    /// `product` is the state before the changes, `code` its code after them.
    package static func updated(_ product: Product, code: String, changes: [FieldChange]) -> ProductEvent {
        ProductEvent(product, .updated, version: product.version + 1, code: code, data: .updated(changes))
    }

    /// `product` is the last state.
    package static func deleted(_ product: Product) -> ProductEvent {
        ProductEvent(product, .deleted, version: product.version + 1, data: .deleted(product))
    }

    /// `product` is the last state.
    package static func expired(_ product: Product) -> ProductEvent {
        ProductEvent(product, .expired, version: product.version + 1, data: .deleted(product))
    }

    /// `product` as it was shown.
    package static func fetched(_ product: Product) -> ProductEvent {
        ProductEvent(product, .fetched, version: product.version, data: nil)
    }

    /// The same event with its time, for `evolve`.
    package func recorded(at time: Timestamp) -> RecordedProductEvent {
        RecordedProductEvent(
            productID: productID,
            type: type,
            version: version,
            code: code,
            data: data,
            recordedAt: time
        )
    }

    private init(_ product: Product, _ type: EventType, version: Int64, code: String? = nil, data: EventData?) {
        productID = product.id
        self.type = type
        self.version = version
        self.code = code ?? product.code
        self.data = data
    }
}
