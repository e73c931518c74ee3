/// An amount of 0 … 99,999,999,999.9999 with at most four decimals, held exactly and never as a binary float.
package struct Price: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The largest amount, in ten-thousandths.
    package static let largest: Int64 = 999_999_999_999_999

    /// The amount in ten-thousandths: 19.9 is 199,000.
    package let tenThousandths: Int64

    /// Nil outside 0 … `largest`.
    package init?(tenThousandths: Int64) {
        guard (0...Self.largest).contains(tenThousandths) else { return nil }
        self.tenThousandths = tenThousandths
    }

    /// Reads the syntax of a JSON number, exponents too: `19.90`, `1990e-2` and `1.99E1` are one amount, `-0` is 0.
    /// Nil for anything else, a negative amount, one that is too large, or more than four significant decimals.
    package init?(decimal: some StringProtocol) {
        guard case .success(let price) = Self.parse(decimal) else { return nil }
        self = price
    }

    /// Canonical: no trailing zeros, no exponent, as in `19.9`; also RFC 8785's form of the number.
    package var description: String {
        let (whole, rest) = tenThousandths.quotientAndRemainder(dividingBy: 10_000)
        guard rest > 0 else { return String(whole) }
        var digits = String(10_000 + rest).utf8.dropFirst()
        while digits.last == UInt8(ascii: "0") { digits.removeLast() }
        return "\(whole).\(Substring(digits))"
    }

    package static func < (left: Self, right: Self) -> Bool { left.tenThousandths < right.tenThousandths }
}

extension Price {
    /// Why a text is no price.
    enum Fault: Error {
        case notANumber, negative, tooLarge, tooManyDecimals
    }

    static func parse(_ text: some StringProtocol) -> Result<Price, Fault> {
        guard let number = DecimalNumber(text) else { return .failure(.notANumber) }
        guard number.digitCount > 0 else { return .success(Price(unchecked: 0)) }
        if number.isNegative { return .failure(.negative) }
        if number.exponent < -4 { return .failure(.tooManyDecimals) }
        guard number.digitCount + number.exponent <= 11, let value = number.scaled(by: 4) else {
            return .failure(.tooLarge)
        }
        return .success(Price(unchecked: value))
    }

    private init(unchecked tenThousandths: Int64) { self.tenThousandths = tenThousandths }
}
