/// One thing that is wrong with a body that is well-formed JSON.
package struct FieldFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// Clients rely on the raw values; they never change.
    package enum Code: String, Sendable {
        /// Absent, or null where null is not allowed.
        case required
        /// Another kind of JSON value than the field has.
        case type
        /// The text is not of the field's format (URL, RFC 3339).
        case format
        case empty
        case tooLong = "too_long"
        /// A number outside the field's range.
        case range
        /// More decimals than the field keeps.
        case precision
        /// The character U+0000 in a text.
        case nul
        case unknownField = "unknown_field"
        /// An `id` that is not the path's.
        case mismatch
    }

    /// JSON pointer (RFC 6901) into the body; "" is the body itself.
    package let pointer: String
    package let code: Code
    /// A sentence's predicate, safe to show: "must be a string".
    package let detail: String

    package init(pointer: String, code: Code, detail: String) {
        self.pointer = pointer
        self.code = code
        self.detail = detail
    }

    /// A member that the body may not have.
    package static func unknownField(_ key: String) -> FieldFault {
        FieldFault(pointer: "/\(escaped(key))", code: .unknownField, detail: "is not a field that can be set")
    }

    package var description: String { "\(pointer): \(detail) (\(code.rawValue))" }

    /// RFC 6901: `~` is `~0` and `/` is `~1`.
    private static func escaped(_ key: String) -> String {
        guard key.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else { return key }
        var text = ""
        for scalar in key.unicodeScalars {
            switch scalar {
            case "~": text += "~0"
            case "/": text += "~1"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

/// All that is wrong with one body: in the body's order, then what it lacks. Of more than `limit` faults the first
/// stand here.
package struct FieldFaults: Error, Sendable, Hashable, CustomStringConvertible {
    /// An answer lists at most so many faults.
    package static let limit = 100

    package let faults: [FieldFault]

    package init(_ faults: [FieldFault]) { self.faults = Array(faults.prefix(Self.limit)) }

    package var description: String { faults.map(\.description).joined(separator: "; ") }
}
