package import Hummingbird

/// The parameters of a query, each known and given at most once.
///
/// Percent signs and `+` (a space) are decoded; what is not UTF-8 or holds U+0000 is refused.
package struct QueryParameters: Sendable {
    private var values: [(name: String, value: String)] = []

    /// Reads a request's query.
    ///
    /// - Throws: `invalid-query` for a parameter that is unknown, given twice or cannot be decoded.
    package init(_ request: Request, known: [String]) throws(Problem) {
        try self.init(query: request.uri.query ?? "", known: known)
    }

    init(query: String, known: [String]) throws(Problem) {
        for pair in query.utf8.split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decode(parts[0]), let value = parts.count == 1 ? "" : Self.decode(parts[1]) else {
                throw Problem(.invalidQuery, "the query cannot be decoded: check its percent signs")
            }
            guard known.contains(name) else {
                let list = known.isEmpty ? "none" : known.joined(separator: ", ")
                throw Problem(.invalidQuery, "'\(name.excerpt)' is no parameter here; there is: \(list)")
            }
            guard self[name] == nil else { throw Problem(.invalidQuery, "the parameter '\(name)' is given twice") }
            values.append((name, value))
        }
    }

    /// The decoded value; nil when the parameter is absent.
    package subscript(name: String) -> String? { values.first { $0.name == name }?.value }

    /// A decimal integer without sign or leading zeros; nil when absent.
    package func integer(_ name: String, in range: ClosedRange<Int64>) throws(Problem) -> Int64? {
        guard let text = self[name] else { return nil }
        guard let value = Int64(canonical: text), range.contains(value) else {
            throw Problem(.invalidQuery, "'\(name)' must be an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// Text that is not empty; nil when absent.
    package func text(_ name: String) throws(Problem) -> String? {
        guard let text = self[name] else { return nil }
        guard !text.isEmpty else { throw Problem(.invalidQuery, "'\(name)' must not be empty") }
        return text
    }

    private static func decode(_ bytes: Substring.UTF8View.SubSequence) -> String? {
        guard let text = PercentEncoding.decode(bytes, plusIsSpace: true), !text.utf8.contains(0) else { return nil }
        return text
    }
}

extension Int64 {
    /// Decimal digits without a sign or leading zeros; nil for anything else and beyond 64 bits.
    package init?(canonical text: some StringProtocol) {
        let digits = text.utf8
        guard (1...19).contains(digits.count), digits.allSatisfy({ $0 &- UInt8(ascii: "0") <= 9 }),
            digits.count == 1 || digits.first != UInt8(ascii: "0")
        else { return nil }
        self.init(text)
    }
}

extension String {
    /// At most 64 characters of it, for a message.
    package var excerpt: String {
        guard unicodeScalars.count > 64 else { return self }
        return String(String.UnicodeScalarView(unicodeScalars.prefix(64))) + "…"
    }
}
