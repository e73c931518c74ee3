/// What a client says about a product. Holding one proves nothing: `faults` tells whether it may be stored.
package struct ProductFields: Sendable, Hashable {
    /// Non-empty, ≤ 64 characters, unique among live products byte by byte.
    package var code: String
    /// Non-empty, ≤ 200 characters.
    package var name: String
    /// ≤ 200 characters; may be empty.
    package var model: String
    package var price: Price
    /// An http(s) URL of ≤ 2,048 characters.
    package var url: String?
    package var expiresAt: Timestamp?

    package init(
        code: String,
        name: String,
        model: String = "",
        price: Price,
        url: String? = nil,
        expiresAt: Timestamp? = nil
    ) {
        self.code = code
        self.name = name
        self.model = model
        self.price = price
        self.url = url
        self.expiresAt = expiresAt
    }

    // Text is compared byte by byte; equal bytes are equal strings, so the synthesised hash agrees.
    package static func == (left: Self, right: Self) -> Bool {
        left.price == right.price && left.expiresAt == right.expiresAt && left.code.hasSameBytes(as: right.code)
            && left.name.hasSameBytes(as: right.name) && left.model.hasSameBytes(as: right.model)
            && left.url.hasSameBytes(as: right.url)
    }
}
