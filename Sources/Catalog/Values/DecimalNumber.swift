/// A JSON number taken apart without loss: ± `significand` × 10^`exponent`.
///
/// The significand has no trailing zeros; zero has exponent 0 and no digits. O(n) in the text, whatever its exponent.
struct DecimalNumber {
    private(set) var isNegative = false
    /// The significant digits; meaningless when there are more than 18 of them.
    private(set) var significand: UInt64 = 0
    /// How many significant digits there are.
    private(set) var digitCount = 0
    private(set) var exponent = 0
    private var pendingZeros = 0

    /// Reads RFC 8259's `number`; nil when the text is anything else.
    init?(_ text: some StringProtocol) {
        var text = String(text)
        guard text.withUTF8({ self.read($0) }) else { return nil }
    }

    private mutating func read(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var scanner = NumberScanner(bytes)
        isNegative = scanner.skip(UInt8(ascii: "-"))
        let leadsWithZero = scanner.peek == UInt8(ascii: "0")
        let whole = scanner.digits { self.append($0) }
        guard whole > 0, !leadsWithZero || whole == 1 else { return false }
        var fraction = 0
        if scanner.skip(UInt8(ascii: ".")) {
            fraction = scanner.digits { self.append($0) }
            guard fraction > 0 else { return false }
        }
        var explicit = 0
        if scanner.skip(UInt8(ascii: "e")) || scanner.skip(UInt8(ascii: "E")) {
            let isBelow = scanner.skip(UInt8(ascii: "-"))
            if !isBelow { _ = scanner.skip(UInt8(ascii: "+")) }
            // Saturates far beyond any number of digits that a body can hold.
            let count = scanner.digits { if explicit < 1_000_000_000 { explicit = explicit * 10 + Int($0) } }
            guard count > 0 else { return false }
            if isBelow { explicit = -explicit }
        }
        guard scanner.isAtEnd else { return false }
        exponent = digitCount == 0 ? 0 : explicit - fraction + pendingZeros
        return true
    }

    /// The value × 10^`scale` when that is an integer of at most 18 digits, else nil.
    func scaled(by scale: Int) -> Int64? {
        guard digitCount > 0 else { return 0 }
        let shift = exponent + scale
        guard shift >= 0, digitCount + shift <= 18 else { return nil }
        var value = Int64(significand)
        for _ in 0..<shift { value *= 10 }
        return isNegative ? -value : value
    }

    private mutating func append(_ digit: UInt8) {
        guard digit > 0 else {
            if digitCount > 0 { pendingZeros += 1 }
            return
        }
        digitCount += pendingZeros + 1
        if digitCount <= 18 {
            for _ in 0...pendingZeros { significand *= 10 }
            significand += UInt64(digit)
        }
        pendingZeros = 0
    }
}

/// Walks over the bytes of a number.
private struct NumberScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var at = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    var isAtEnd: Bool { at == bytes.count }
    var peek: UInt8? { isAtEnd ? nil : bytes[at] }

    mutating func skip(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        at += 1
        return true
    }

    /// Hands on each digit's value; returns how many there were.
    mutating func digits(_ body: (UInt8) -> Void) -> Int {
        var count = 0
        while let byte = peek, byte &- UInt8(ascii: "0") <= 9 {
            body(byte &- UInt8(ascii: "0"))
            at += 1
            count += 1
        }
        return count
    }
}
