/// Who: 1–128 characters of UTF-8 without control and format characters (Cc, Cf), compared byte by byte.
///
/// A character is a Unicode scalar here.
package struct UserID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Prefixes of ids that only the server itself gives: `role:<database role>`, `system:ttl` and the like.
    package static let reservedPrefixes = ["system:", "role:"]

    private let text: ExactText

    /// An id from outside: nil when malformed or under a reserved prefix.
    package init?(external text: String) {
        let isReserved = Self.reservedPrefixes.contains { text.utf8.starts(with: $0.utf8) }
        guard !isReserved else { return nil }
        self.init(any: text)
    }

    /// Any id, reserved prefixes included: nil when malformed.
    package init?(any text: String) {
        guard (1...512).contains(text.utf8.count) else { return nil }
        var count = 0
        for scalar in text.unicodeScalars {
            guard !scalar.isControlOrFormat else { return nil }
            count += 1
        }
        guard count <= 128 else { return nil }
        self.text = ExactText(text)
    }

    package var description: String { text.text }

    package static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}

extension Unicode.Scalar {
    /// General category Cc or Cf.
    var isControlOrFormat: Bool {
        if isASCII { return value < 0x20 || value == 0x7f }
        return switch properties.generalCategory {
        case .control, .format: true
        default: false
        }
    }
}
