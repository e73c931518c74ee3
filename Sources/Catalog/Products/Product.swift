/// A product as it stands at one version.
package struct Product: Sendable, Hashable {
    package let id: ProductID
    package var fields: ProductFields
    /// 1 on creation, one more with each change.
    package var version: Int64
    package let createdAt: Timestamp
    package var updatedAt: Timestamp

    package init(
        id: ProductID,
        fields: ProductFields,
        version: Int64,
        createdAt: Timestamp,
        updatedAt: Timestamp
    ) {
        self.id = id
        self.fields = fields
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }

    package var code: String { fields.code }
    package var name: String { fields.name }
    package var model: String { fields.model }
    package var price: Price { fields.price }
    package var url: String? { fields.url }
    package var expiresAt: Timestamp? { fields.expiresAt }
}
