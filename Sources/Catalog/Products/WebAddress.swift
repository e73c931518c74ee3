/// Tells whether a text is an absolute http(s) URL with a host (RFC 3986's syntax; characters beyond ASCII pass).
enum WebAddress {
    enum Problem: String {
        case scheme = "must start with http:// or https://"
        case host = "names no host"
        case port = "has a malformed port"
        case character = "contains a character that must be percent-encoded in a URL"
    }

    /// Nil when there is none; O(n).
    static func problem(in text: String) -> Problem? {
        guard let rest = afterScheme(text.utf8) else { return .scheme }
        guard hasOnlyURLCharacters(text) else { return .character }
        let authority = rest.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        let host = authority.lastIndex(of: UInt8(ascii: "@")).map { authority[authority.index(after: $0)...] }
        return problem(inHostAndPort: host ?? authority)
    }

    private static func afterScheme(_ bytes: String.UTF8View) -> Substring.UTF8View? {
        for scheme in ["http://", "https://"] {
            let start = bytes.prefix(scheme.utf8.count)
            // ASCII letters differ from their lower case in one bit; the scheme's other characters have it set.
            if start.elementsEqual(scheme.utf8, by: { $0 | 0x20 == $1 }) { return bytes[start.endIndex...] }
        }
        return nil
    }

    private static func hasOnlyURLCharacters(_ text: String) -> Bool {
        var isASCII = true
        for byte in text.utf8 {
            switch byte {
            case 0x80...: isASCII = false
            case ...0x20, 0x7f, UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\\"),
                UInt8(ascii: "^"), UInt8(ascii: "`"), UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"):
                return false
            default: break
            }
        }
        return isASCII || text.unicodeScalars.allSatisfy(\.isVisible)
    }

    private static func problem(inHostAndPort text: Substring.UTF8View) -> Problem? {
        var port: Substring.UTF8View?
        if text.first == UInt8(ascii: "[") {
            guard let end = text.firstIndex(of: UInt8(ascii: "]")), text.distance(from: text.startIndex, to: end) > 1
            else { return .host }
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.first == UInt8(ascii: ":") else { return .host }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else {
            let colon = text.firstIndex(of: UInt8(ascii: ":")) ?? text.endIndex
            let host = text[..<colon]
            guard !host.isEmpty, !host.contains(UInt8(ascii: "[")), !host.contains(UInt8(ascii: "]")) else {
                return .host
            }
            port = colon == text.endIndex ? nil : text[text.index(after: colon)...]
        }
        guard let port, !port.isEmpty else { return nil }
        guard port.allSatisfy({ $0 &- UInt8(ascii: "0") <= 9 }), let number = Int(Substring(port)), number <= 65_535
        else { return .port }
        return nil
    }
}

extension Unicode.Scalar {
    /// Neither a space nor a control or format character.
    fileprivate var isVisible: Bool {
        if isASCII { return value > 0x20 && value != 0x7f }
        return switch properties.generalCategory {
        case .control, .format, .spaceSeparator, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}
