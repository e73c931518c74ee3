/// The text of a Swift file with comments and what strings say blanked out: code stays in its place, line by line, code
/// in interpolations too.
struct SwiftText {
    private(set) var lines: [String] = []

    private let bytes: [UInt8]
    private var at = 0
    private var code: [UInt8] = []

    init(_ text: String) {
        bytes = Array(text.utf8)
        readCode(until: nil)
        let text = String(decoding: code, as: UTF8.self)
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    private func has(_ text: String, at place: Int) -> Bool {
        bytes[min(place, bytes.count)...].starts(with: text.utf8)
    }

    private mutating func keep(_ count: Int) {
        code += bytes[at..<min(at + count, bytes.count)]
        at = min(at + count, bytes.count)
    }

    private mutating func blank(_ count: Int) {
        for byte in bytes[at..<min(at + count, bytes.count)] {
            code.append(byte == UInt8(ascii: "\n") ? byte : UInt8(ascii: " "))
        }
        at = min(at + count, bytes.count)
    }

    /// Code up to the end or, in an interpolation, up to and with the parenthesis that closes it.
    private mutating func readCode(until closing: UInt8?) {
        var depth = 0
        while at < bytes.count {
            let byte = bytes[at]
            if has("//", at: at) {
                while at < bytes.count, bytes[at] != UInt8(ascii: "\n") { blank(1) }
            } else if has("/*", at: at) {
                while at < bytes.count, !has("*/", at: at) { blank(1) }
                blank(2)
            } else if let pounds = poundsOfString() {
                readString(pounds: pounds)
            } else {
                if byte == UInt8(ascii: "(") { depth += 1 }
                if byte == UInt8(ascii: ")") { depth -= 1 }
                keep(1)
                if closing == byte, depth < 0 { return }
            }
        }
    }

    /// How many `#` the string that starts here has; nil when none starts.
    private func poundsOfString() -> Int? {
        var place = at
        while place < bytes.count, bytes[place] == UInt8(ascii: "#") { place += 1 }
        return has("\"", at: place) ? place - at : nil
    }

    private mutating func readString(pounds: Int) {
        let pound = String(repeating: "#", count: pounds)
        let quote = has("\"\"\"", at: at + pounds) ? "\"\"\"" : "\""
        keep(pounds + quote.utf8.count)
        while at < bytes.count {
            if has(quote + pound, at: at) {
                return keep(quote.utf8.count + pounds)
            } else if has("\\" + pound + "(", at: at) {
                blank(1 + pounds)
                keep(1)
                readCode(until: UInt8(ascii: ")"))
            } else if has("\\" + pound, at: at) {
                blank(2 + pounds)
            } else {
                blank(1)
            }
        }
    }
}

// MARK: - Functions

extension SwiftText {
    struct Function: Equatable {
        /// From 1.
        let line: Int
        /// Lines from the declaration's first to the closing brace.
        let length: Int
    }

    /// The functions, initialisers and deinitialisers whose body has lines of its own, as `swift format` lays them out:
    /// the closing brace stands under the declaration's start.
    var functions: [Function] {
        lines.indices.compactMap { first in
            guard lines[first].contains(Self.declaration) else { return nil }
            let indent = Self.indent(lines[first])
            for last in lines.indices[(first + 1)...] {
                let text = lines[last].drop { $0 == " " }
                if text.isEmpty || Self.indent(lines[last]) > indent { continue }
                if Self.indent(lines[last]) < indent { return nil }
                if text.hasPrefix("}") { return Function(line: first + 1, length: last - first + 1) }
                // The signature goes on.
                guard text.hasPrefix(")") || text.hasPrefix("{") || text.hasPrefix("where") else { return nil }
            }
            return nil
        }
    }

    private static var declaration: Regex<Substring> {
        /^ *(?:(?:@\w+(?:\([^)]*\))?|[a-z]+(?:\(set\))?) +)*(?:func +\S+|(?:init|deinit)\b)[^\n]*$/
    }

    private static func indent(_ line: String) -> Int { line.prefix { $0 == " " }.count }
}
