import Catalog

/// A W3C trace context, version 00: 16 bytes trace id, 8 bytes parent id, 1 byte flags.
///
/// Source: W3C Trace Context, "traceparent header". All-zero ids are invalid.
package struct TraceContext: Sendable, Hashable, CustomStringConvertible {
    /// 25 bytes in the order of the header.
    package let bytes: [UInt8]

    /// As stored; nil unless there are 25 bytes.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 25 else { return nil }
        self.bytes = bytes
    }

    /// As sent: `00-<32 hex>-<16 hex>-<2 hex>`; nil when malformed or an id is all zero.
    package init?(header: String) {
        let text = Array(header.utf8)
        guard text.count == 55, text[0] == UInt8(ascii: "0"), text[1] == UInt8(ascii: "0"),
            [2, 35, 52].allSatisfy({ text[$0] == UInt8(ascii: "-") })
        else { return nil }
        let digits = text[3..<35] + text[36..<52] + text[53..<55]
        guard let bytes = Hexadecimal.decode(lowercase: digits), bytes[..<16].contains(where: { $0 != 0 }),
            bytes[16..<24].contains(where: { $0 != 0 })
        else { return nil }
        self.bytes = bytes
    }

    package var description: String {
        let hex = Array("0123456789abcdef")
        func text(_ bytes: ArraySlice<UInt8>) -> String {
            String(bytes.flatMap { [hex[Int($0 >> 4)], hex[Int($0 & 15)]] })
        }
        return "00-\(text(bytes[..<16]))-\(text(bytes[16..<24]))-\(text(bytes[24...]))"
    }
}
