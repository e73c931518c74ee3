/// Text in a part of a path.
enum PathText {
    /// Decodes percent signs; nil for a broken one and for what is not UTF-8.
    static func decode(_ part: String) -> String? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(part.utf8.count)
        var rest = part.utf8.makeIterator()
        while let byte = rest.next() {
            guard byte == UInt8(ascii: "%") else {
                decoded.append(byte)
                continue
            }
            guard let high = hexValue(rest.next()), let low = hexValue(rest.next()) else { return nil }
            decoded.append(high << 4 | low)
        }
        return String(validating: decoded, as: UTF8.self)
    }

    private static func hexValue(_ digit: UInt8?) -> UInt8? {
        switch digit {
        case .some(UInt8(ascii: "0")...UInt8(ascii: "9")): digit.map { $0 - UInt8(ascii: "0") }
        case .some(UInt8(ascii: "A")...UInt8(ascii: "F")): digit.map { $0 - UInt8(ascii: "A") + 10 }
        case .some(UInt8(ascii: "a")...UInt8(ascii: "f")): digit.map { $0 - UInt8(ascii: "a") + 10 }
        default: nil
        }
    }
}
