package import Catalog

/// A product's id in a path.
package enum PathID: Sendable, Hashable {
    case id(ProductID)
    /// A 64-bit integer that no product can have: not found, and nothing is recorded, as no event can name it.
    case beyondRange

    /// - Throws: `invalid-path` for anything but a positive 64-bit integer in plain decimal digits.
    package init(_ text: String) throws(Problem) {
        guard let value = Int64(canonical: text), value > 0 else {
            throw Problem(
                .invalidPath,
                "'\(text.excerpt)' is no product id: it must be a positive integer in decimal digits"
            )
        }
        self = ProductID(value).map(PathID.id) ?? .beyondRange
    }

    /// - Throws: `product-not-found` when no product can have the id.
    package func productID() throws(Problem) -> ProductID {
        switch self {
        case .id(let id): return id
        case .beyondRange: throw Problem(.productNotFound, "there is no such product: ids end at \(ProductID.largest)")
        }
    }
}
