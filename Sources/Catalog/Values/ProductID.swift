/// A product's number: 1 … 2^53 − 1, so that it survives a binary double. Never used again once given.
package struct ProductID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The largest id, 9,007,199,254,740,991.
    package static let largest: Int64 = 1 << 53 - 1

    package let rawValue: Int64

    /// Nil outside 1 … 2^53 − 1.
    package init?(_ rawValue: Int64) {
        guard (1...Self.largest).contains(rawValue) else { return nil }
        self.rawValue = rawValue
    }

    /// Decimal digits.
    package var description: String { String(rawValue) }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
