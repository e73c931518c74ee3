/// What bodies and attributes may hold.
package enum MessageText {
    /// A message's body and attributes together, and all messages of one batch.
    package static let limitBytes = 1 << 20

    /// Whether every character is one of XML 1.0's: tab, line feed, carriage return and all from U+0020 but the
    /// surrogates, U+FFFE and U+FFFF.
    static func isAllowed(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { utf8 in
            // U+FFFE and U+FFFF are EF BF BE and EF BF BF.
            for (at, byte) in utf8.enumerated() {
                if byte < 0x20, byte != 0x09, byte != 0x0a, byte != 0x0d { return false }
                if byte >= 0xbe, at >= 2, utf8[at - 1] == 0xbf, utf8[at - 2] == 0xef, byte <= 0xbf {
                    return false
                }
            }
            return true
        }
    }

    /// Group and deduplication ids: 1 to 128 letters, digits and signs of ASCII.
    static func isIdentifier(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count) && text.utf8.allSatisfy { 0x21...0x7e ~= $0 }
    }
}

extension UInt8 {
    /// A letter or digit of ASCII.
    var isAlphanumeric: Bool {
        switch self {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
