/// The value of an `If-Match` or `If-None-Match` field (RFC 9110, 13.1).
enum EntityTagList: Hashable {
    /// `*`
    case any
    /// At least one.
    case tags([EntityTag])

    /// Reads all values of the field; nil when it is malformed.
    init?(_ values: [String]) {
        let text = values.joined(separator: ",").utf8
        var tags: [EntityTag] = []
        var rest = text[...]
        rest.skipSpace()
        if rest.first == UInt8(ascii: "*") {
            rest.removeFirst()
            rest.skipSpace()
            guard rest.isEmpty else { return nil }
            self = .any
            return
        }
        while true {
            rest.skipSpace()
            // RFC 9110, 5.6.1: a list may have empty elements.
            if rest.first == UInt8(ascii: ",") {
                rest.removeFirst()
                continue
            }
            if rest.isEmpty { break }
            guard let tag = EntityTag(readingFrom: &rest) else { return nil }
            tags.append(tag)
            rest.skipSpace()
            guard rest.isEmpty || rest.first == UInt8(ascii: ",") else { return nil }
        }
        guard !tags.isEmpty else { return nil }
        self = .tags(tags)
    }
}

/// One entity tag: `"…"`, or `W/"…"` for a weak one.
struct EntityTag: Hashable {
    let isWeak: Bool
    /// What stands between the quotes.
    let opaque: String

    init(isWeak: Bool = false, opaque: String) {
        (self.isWeak, self.opaque) = (isWeak, opaque)
    }

    /// Takes a tag off the front; nil when there is none.
    fileprivate init?(readingFrom rest: inout Substring.UTF8View) {
        isWeak = rest.starts(with: "W/".utf8)
        if isWeak { rest.removeFirst(2) }
        guard rest.first == UInt8(ascii: "\"") else { return nil }
        rest.removeFirst()
        guard let end = rest.firstIndex(of: UInt8(ascii: "\"")) else { return nil }
        let inside = rest[..<end]
        guard inside.allSatisfy({ $0 == 0x21 || (0x23...0x7e).contains($0) || $0 >= 0x80 }) else { return nil }
        opaque = String(Substring(inside))
        rest = rest[rest.index(after: end)...]
    }
}

extension Substring.UTF8View {
    fileprivate mutating func skipSpace() {
        while first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") { removeFirst() }
    }
}
