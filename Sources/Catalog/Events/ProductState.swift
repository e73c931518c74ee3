/// What replay knows about one product id.
package enum ProductState: Sendable, Hashable {
    /// Never used.
    case absent
    case live(Product)
    /// Deleted or expired: the product as it last was, and the version that its end made. The id is never used again.
    case deleted(last: Product, version: Int64)

    /// The version that the last change made; 0 when there was none.
    package var version: Int64 {
        switch self {
        case .absent: 0
        case .live(let product): product.version
        case .deleted(_, let version): version
        }
    }
}
