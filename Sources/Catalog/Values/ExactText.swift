/// Text that is equal only when its bytes are: the key to use in sets and dictionaries of codes, names and user ids.
///
/// Swift's `String` compares by canonical equivalence, so a composed and a decomposed "é" are one key to it; to JSON,
/// to the log and to PostgreSQL's `COLLATE "C"` they are two. Order is that of the UTF-8 bytes, as in `COLLATE "C"`.
package struct ExactText: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let text: String

    package init(_ text: String) { self.text = text }

    package var description: String { text }

    // Equal bytes are equal strings, so String's own hash agrees with this equality.
    package static func == (left: Self, right: Self) -> Bool { left.text.hasSameBytes(as: right.text) }

    package static func < (left: Self, right: Self) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }
}

extension String {
    /// Whether both hold the same UTF-8 bytes; O(n).
    package func hasSameBytes(as other: String) -> Bool {
        var (left, right) = (self, other)
        return left.withUTF8 { left in right.withUTF8 { left.count == $0.count && left.elementsEqual($0) } }
    }
}

extension String? {
    func hasSameBytes(as other: String?) -> Bool {
        switch (self, other) {
        case (nil, nil): true
        case (let left?, let right?): left.hasSameBytes(as: right)
        default: false
        }
    }
}
