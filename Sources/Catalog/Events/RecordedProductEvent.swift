/// An event about a product as the log holds it, with what replay needs of it.
package struct RecordedProductEvent: Sendable, Hashable {
    package var productID: ProductID
    package var type: EventType
    /// Nil for events that neither change nor show the product.
    package var version: Int64?
    package var code: String?
    package var data: EventData?
    package var recordedAt: Timestamp

    package init(
        productID: ProductID,
        type: EventType,
        version: Int64?,
        code: String?,
        data: EventData?,
        recordedAt: Timestamp
    ) {
        self.productID = productID
        self.type = type
        self.version = version
        self.code = code
        self.data = data
        self.recordedAt = recordedAt
    }
}
