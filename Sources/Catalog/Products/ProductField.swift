/// A product's members that a client sets, in the order in which they are always written.
package enum ProductField: String, Sendable, Hashable, CaseIterable {
    case code, name, model, price, url, expiresAt

    /// Its JSON pointer: `/price`.
    package var pointer: String { "/\(rawValue)" }
}
