package import Catalog

/// A product's id in a path.
package enum PathID: Sendable, Hashable {
    case id(ProductID)
    /// A 64-bit integer that no product can have: never found, though events name it.
    case beyondRange(Int64)

    /// - Throws: `invalid-path` for anything but a positive 64-bit integer in plain decimal digits.
    package init(_ text: String) throws(Problem) {
        guard let value = Int64(canonical: text), value > 0 else {
            throw Problem(
                .invalidPath,
                "'\(text.excerpt)' is no product id: it must be a positive integer in decimal digits"
            )
        }
        self.init(number: value)
    }

    /// - Parameter number: positive.
    package init(number: Int64) { self = ProductID(number).map(PathID.id) ?? .beyondRange(number) }

    /// What an id beyond the range gets.
    static let noSuchProduct = Problem(
        .productNotFound,
        "there is no such product: ids end at \(ProductID.largest)"
    )

    /// As events name it.
    package var number: Int64 {
        switch self {
        case .id(let id): id.rawValue
        case .beyondRange(let number): number
        }
    }

    /// - Throws: `product-not-found`, recorded nowhere, when no product can have the id.
    package func productID() throws(Problem) -> ProductID {
        switch self {
        case .id(let id): return id
        case .beyondRange: throw Self.noSuchProduct
        }
    }
}
