/// The numbers that an attribute of type Number may hold: at most 38 significant digits, in magnitude from 10^-128 up
/// to 10^126; zero too.
enum AttributeNumber {
    private static let precision = 38
    private static let exponents = -128...126

    /// Whether the text is such a number: sign, digits with or without a point, exponent.
    static func isAllowed(_ text: String) -> Bool {
        var rest = Array(text.utf8)[...]
        skipSign(&rest)
        let whole = digits(&rest)
        var fraction: ArraySlice<UInt8> = []
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            fraction = digits(&rest)
        }
        guard !whole.isEmpty || !fraction.isEmpty else { return false }
        var exponent = 0
        if let letter = rest.first, letter | 0x20 == UInt8(ascii: "e") {
            rest.removeFirst()
            let isBelow = rest.first == UInt8(ascii: "-")
            skipSign(&rest)
            let power = digits(&rest)
            guard (1...9).contains(power.count), let value = Int(String(decoding: power, as: UTF8.self))
            else {
                return false
            }
            exponent = isBelow ? -value : value
        }
        guard rest.isEmpty else { return false }
        return isInRange(whole: whole, fraction: fraction, exponent: exponent)
    }

    private static func isInRange(
        whole: ArraySlice<UInt8>,
        fraction: ArraySlice<UInt8>,
        exponent: Int
    ) -> Bool {
        let zero = UInt8(ascii: "0")
        let all = Array(whole) + Array(fraction)
        guard let first = all.firstIndex(where: { $0 != zero }),
            let last = all.lastIndex(where: { $0 != zero })
        else {
            return true
        }
        // The first significant digit stands for so many powers of ten.
        let magnitude = whole.count - 1 - first + exponent
        return last - first < precision && exponents.contains(magnitude)
    }

    private static func skipSign(_ rest: inout ArraySlice<UInt8>) {
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
    }

    private static func digits(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let digits = rest.prefix { $0 &- UInt8(ascii: "0") <= 9 }
        rest = rest.dropFirst(digits.count)
        return digits
    }
}
