/// Reads strict JSON (RFC 8259, I-JSON's strings and keys): no duplicate keys, lone surrogates, invalid UTF-8,
/// unescaped control characters, comments, byte order mark or anything after the document; at most 64 levels deep.
package struct JSONParser {
    /// How many arrays and objects may stand inside one another.
    package static let depthLimit = 64

    private let bytes: [UInt8]
    private var at = 0
    private var depth = 0

    /// Reads one whole document; O(n).
    package static func parse(_ bytes: some Collection<UInt8>) throws(JSONError) -> JSONValue {
        var parser = JSONParser(bytes: Array(bytes))
        return try parser.document()
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func document() throws(JSONError) -> JSONValue {
        skipSpace()
        guard at < bytes.count else { throw JSONError(code: .empty, offset: at) }
        let value = try value()
        skipSpace()
        guard at == bytes.count else { throw JSONError(code: .trailingBytes, offset: at) }
        return value
    }

    private mutating func value() throws(JSONError) -> JSONValue {
        switch try peek() {
        case UInt8(ascii: "{"): return .object(try object())
        case UInt8(ascii: "["): return .array(try array())
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: throw JSONError(code: .unexpectedByte, offset: at)
        }
    }

    private mutating func object() throws(JSONError) -> [JSONMember] {
        try enter()
        var members: [JSONMember] = []
        if try skip(UInt8(ascii: "}")) {
            depth -= 1
            return members
        }
        members.reserveCapacity(8)
        var keys = KeySet()
        repeat {
            skipSpace()
            let start = at
            guard try peek() == UInt8(ascii: "\"") else { throw JSONError(code: .unexpectedByte, offset: at) }
            let key = try string()
            guard keys.insert(key, among: members) else { throw JSONError(code: .duplicateKey, offset: start) }
            try expect(UInt8(ascii: ":"))
            skipSpace()
            members.append(JSONMember(key: key, value: try value()))
        } while try skip(UInt8(ascii: ","))
        try expect(UInt8(ascii: "}"))
        depth -= 1
        return members
    }

    private mutating func array() throws(JSONError) -> [JSONValue] {
        try enter()
        var items: [JSONValue] = []
        if try skip(UInt8(ascii: "]")) {
            depth -= 1
            return items
        }
        repeat {
            skipSpace()
            items.append(try value())
        } while try skip(UInt8(ascii: ","))
        try expect(UInt8(ascii: "]"))
        depth -= 1
        return items
    }

    /// Steps over an opening bracket.
    private mutating func enter() throws(JSONError) {
        guard depth < Self.depthLimit else { throw JSONError(code: .tooDeep, offset: at) }
        depth += 1
        at += 1
    }

    private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for expected in UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount) {
            guard try peek() == expected else { throw JSONError(code: .unexpectedByte, offset: at) }
            at += 1
        }
        return value
    }

    private mutating func number() throws(JSONError) -> String {
        let start = at
        if bytes[at] == UInt8(ascii: "-") { at += 1 }
        let whole = at
        try digits()
        if bytes[whole] == UInt8(ascii: "0"), at > whole + 1 { throw JSONError(code: .badNumber, offset: whole) }
        if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
            at += 1
            try digits()
        }
        if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
            at += 1
            if at < bytes.count, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at += 1 }
            try digits()
        }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    /// At least one digit.
    private mutating func digits() throws(JSONError) {
        let start = at
        while at < bytes.count, bytes[at] &- UInt8(ascii: "0") <= 9 { at += 1 }
        guard at > start else {
            throw JSONError(code: at < bytes.count ? .badNumber : .unexpectedEnd, offset: at)
        }
    }

    private mutating func skipSpace() {
        while at < bytes.count {
            switch bytes[at] {
            case 0x20, 0x0a, 0x0d, 0x09: at += 1
            default: return
            }
        }
    }

    private func peek() throws(JSONError) -> UInt8 {
        guard at < bytes.count else { throw JSONError(code: .unexpectedEnd, offset: at) }
        return bytes[at]
    }

    /// Steps over space and then this byte, if it is the next one.
    private mutating func skip(_ byte: UInt8) throws(JSONError) -> Bool {
        skipSpace()
        guard try peek() == byte else { return false }
        at += 1
        return true
    }

    private mutating func expect(_ byte: UInt8) throws(JSONError) {
        guard try skip(byte) else { throw JSONError(code: .unexpectedByte, offset: at) }
    }
}

// MARK: - Strings

extension JSONParser {
    /// A string, from its opening quote; most have no escape and are taken as they stand.
    private mutating func string() throws(JSONError) -> String {
        let start = at + 1
        at = start
        var isASCII = true
        while at < bytes.count {
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") {
                let text = try text(bytes[start..<at], isASCII: isASCII)
                at += 1
                return text
            }
            if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
            guard byte >= 0x20 else { throw JSONError(code: .controlCharacter, offset: at) }
            if byte >= 0x80 { isASCII = false }
            at += 1
        }
        throw JSONError(code: .unexpectedEnd, offset: at)
    }

    private mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var plain = Array(bytes[start..<at])
        while true {
            let byte = try peek()
            switch byte {
            case UInt8(ascii: "\""):
                let text = try text(plain[...], isASCII: false)
                at += 1
                return text
            case UInt8(ascii: "\\"):
                try escape(into: &plain)
            case 0..<0x20:
                throw JSONError(code: .controlCharacter, offset: at)
            default:
                plain.append(byte)
                at += 1
            }
        }
    }

    private mutating func escape(into plain: inout [UInt8]) throws(JSONError) {
        let start = at
        at += 1
        let byte = try peek()
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): plain.append(byte)
        case UInt8(ascii: "b"): plain.append(0x08)
        case UInt8(ascii: "f"): plain.append(0x0c)
        case UInt8(ascii: "n"): plain.append(0x0a)
        case UInt8(ascii: "r"): plain.append(0x0d)
        case UInt8(ascii: "t"): plain.append(0x09)
        case UInt8(ascii: "u"):
            var scalar = try hexUnit()
            if 0xd800...0xdbff ~= scalar {
                for expected in [UInt8(ascii: "\\"), UInt8(ascii: "u")] {
                    guard try peek() == expected else { throw JSONError(code: .loneSurrogate, offset: start) }
                    at += 1
                }
                let low = try hexUnit()
                guard 0xdc00...0xdfff ~= low else { throw JSONError(code: .loneSurrogate, offset: start) }
                scalar = 0x10000 + (scalar - 0xd800) << 10 + (low - 0xdc00)
            }
            guard let scalar = Unicode.Scalar(scalar) else { throw JSONError(code: .loneSurrogate, offset: start) }
            plain.append(contentsOf: UTF8.encode(scalar)?.map { $0 } ?? [])
        default:
            throw JSONError(code: .badEscape, offset: start)
        }
    }

    private mutating func hexUnit() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            let byte = try peek()
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: throw JSONError(code: .badEscape, offset: at)
            }
            value = value << 4 | UInt32(digit)
            at += 1
        }
        return value
    }

    private func text(_ utf8: ArraySlice<UInt8>, isASCII: Bool) throws(JSONError) -> String {
        if isASCII { return String(decoding: utf8, as: UTF8.self) }
        guard let text = String(validating: utf8, as: UTF8.self) else {
            throw JSONError(code: .invalidUTF8, offset: at)
        }
        return text
    }
}

/// The keys of one object: compared one by one while they are few, hashed when they are many.
private struct KeySet {
    private static let fewest = 16
    private var hashed: Set<ExactText> = []

    /// False when the key stands among the members already.
    mutating func insert(_ key: String, among members: [JSONMember]) -> Bool {
        if members.count < Self.fewest { return !members.contains { $0.key.hasSameBytes(as: key) } }
        if hashed.isEmpty { hashed = Set(members.map { ExactText($0.key) }) }
        return hashed.insert(ExactText(key)).inserted
    }
}
