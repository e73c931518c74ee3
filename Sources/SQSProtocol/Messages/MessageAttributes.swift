import Catalog

/// The attributes of one message, each name once, sorted by name.
package struct MessageAttributes: Sendable, Hashable {
    /// A message may have so many.
    package static let limit = 10

    package let items: [MessageAttribute]

    /// - Parameter items: of distinct names.
    package init(_ items: [MessageAttribute] = []) {
        self.items = items.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    package var isEmpty: Bool { items.isEmpty }

    /// What they count against the size of their message.
    package var byteCount: Int { items.reduce(0) { $0 + $1.byteCount } }

    /// Reads `{name: {"DataType": …, …}}`; none when it is absent.
    init(json: JSONValue?) throws(SQSError) {
        guard let json else {
            self.init()
            return
        }
        guard case .object(let members) = json else { throw .wrongType("MessageAttributes", json) }
        guard members.count <= Self.limit else {
            throw .invalidParameterValue(
                "Number of message attributes [\(members.count)] exceeds the allowed maximum [\(Self.limit)]."
            )
        }
        var items: [MessageAttribute] = []
        for member in members {
            items.append(try MessageAttribute(name: member.key, json: member.value))
        }
        self.init(items)
    }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        for item in items {
            writer.key(named: item.name)
            writer.beginObject()
            writer.member("DataType", item.dataType)
            switch item.value {
            case .text(let text): writer.member("StringValue", text)
            case .bytes(let bytes): writer.member("BinaryValue", Base64.encode(bytes))
            }
            writer.endObject()
        }
        writer.endObject()
    }

    /// As a request has them.
    package var json: [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }
}

// MARK: - The encoding that is hashed

extension MessageAttributes {
    private enum Kind: UInt8 {
        case text = 1
        case bytes = 2
    }

    /// For each attribute, sorted by name: length and bytes of its name and of its type, 1 (text) or 2 (bytes), length
    /// and bytes of its value; lengths are 32 bits, big-endian. It is what SQS hashes, and nothing is lost in it.
    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount + 13 * items.count)
        for item in items {
            Self.append(item.name.utf8, to: &bytes)
            Self.append(item.dataType.utf8, to: &bytes)
            switch item.value {
            case .text(let text):
                bytes.append(Kind.text.rawValue)
                Self.append(text.utf8, to: &bytes)
            case .bytes(let value):
                bytes.append(Kind.bytes.rawValue)
                Self.append(value, to: &bytes)
            }
        }
        return bytes
    }

    /// `MD5OfMessageAttributes`; nil without attributes, as it is then left out.
    package var md5: String? { isEmpty ? nil : Digest.md5(encoded) }

    /// Reads what `encoded` made; nil for anything else.
    package init?(encoded bytes: [UInt8]) {
        var rest = bytes[...]
        var items: [MessageAttribute] = []
        while !rest.isEmpty {
            guard let name = Self.text(&rest), let type = Self.text(&rest), let kind = rest.popFirst()
            else {
                return nil
            }
            switch Kind(rawValue: kind) {
            case .text:
                guard let text = Self.text(&rest) else { return nil }
                items.append(MessageAttribute(name: name, dataType: type, value: .text(text)))
            case .bytes:
                guard let bytes = Self.bytes(&rest) else { return nil }
                items.append(MessageAttribute(name: name, dataType: type, value: .bytes(Array(bytes))))
            case nil: return nil
            }
        }
        self.init(items)
    }

    private static func append(_ part: some Collection<UInt8>, to bytes: inout [UInt8]) {
        let count = UInt32(truncatingIfNeeded: part.count)
        for shift in stride(from: 24, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: count >> UInt32(shift)))
        }
        bytes.append(contentsOf: part)
    }

    private static func bytes(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard rest.count >= 4 else { return nil }
        let count = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        rest = rest.dropFirst(4)
        guard rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    private static func text(_ rest: inout ArraySlice<UInt8>) -> String? {
        bytes(&rest).flatMap { String(validating: $0, as: UTF8.self) }
    }
}

// MARK: - Which of them a receiver wants

extension MessageAttributes {
    /// `MessageAttributeNames`: names, `All` or `.*`, and `prefix.*`.
    package struct Selection: Sendable, Hashable {
        private var takesAll = false
        private var names: Set<ExactText> = []
        private var prefixes: [String] = []

        package init(_ wanted: [String] = []) {
            for name in wanted {
                if name == "All" || name == ".*" {
                    takesAll = true
                } else if name.hasSuffix(".*") {
                    prefixes.append(String(name.dropLast(2)))
                } else {
                    names.insert(ExactText(name))
                }
            }
        }

        package var isEmpty: Bool { !takesAll && names.isEmpty && prefixes.isEmpty }

        func takes(_ name: String) -> Bool {
            takesAll || names.contains(ExactText(name))
                || prefixes.contains { name.utf8.starts(with: $0.utf8) }
        }
    }

    /// Those that a receiver asked for; their MD5 covers only them.
    package func selected(by selection: Selection) -> MessageAttributes {
        selection.isEmpty
            ? MessageAttributes() : MessageAttributes(items.filter { selection.takes($0.name) })
    }
}
