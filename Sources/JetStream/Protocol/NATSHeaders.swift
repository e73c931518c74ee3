package import NIOCore

/// The headers of a message, in order; names as they were written, compared byte for byte.
///
/// Source: NATS ADR-4. A status line without further headers is how the server itself answers (503: nobody listens).
package struct NATSHeaders: Sendable, Hashable {
    package struct Field: Sendable, Hashable {
        package let name: String
        package let value: String
    }

    package private(set) var fields: [Field] = []
    /// The status of a server's own answer.
    package private(set) var status: Int?

    private static let version = "NATS/1.0"

    package init() {}

    package init(_ fields: KeyValuePairs<String, String>) {
        self.fields = fields.map { Field(name: $0.key, value: $0.value) }
    }

    package var isEmpty: Bool { fields.isEmpty && status == nil }

    /// The first value of that name.
    package subscript(name: String) -> String? { fields.first { $0.name == name }?.value }

    package mutating func add(_ name: String, _ value: String) { fields.append(Field(name: name, value: value)) }

    /// Names are printable without a colon, values without line ends: anything else would forge headers.
    var isSendable: Bool {
        fields.allSatisfy { field in
            !field.name.isEmpty
                && field.name.utf8.allSatisfy { 0x21...0x7e ~= $0 && $0 != UInt8(ascii: ":") }
                && field.value.utf8.allSatisfy { $0 != 0x0d && $0 != 0x0a }
        }
    }

    /// Reads a header block, its empty last line included.
    package init(parsing block: ByteBufferView) throws(NATSError) {
        var rest = block[...]
        guard let first = Self.line(&rest), first.hasPrefix(Self.version) else {
            throw NATSError(.protocolViolation, "a header block without its version")
        }
        let words = first.dropFirst(Self.version.count).split(separator: " ", maxSplits: 1)
        if let word = words.first {
            guard let status = Int(word), 0...999 ~= status else {
                throw NATSError(.protocolViolation, "a malformed status line")
            }
            self.status = status
        }
        while let line = Self.line(&rest) {
            if line.isEmpty {
                guard rest.isEmpty else { break }
                return
            }
            guard let colon = line.firstIndex(of: ":"), colon > line.startIndex else {
                throw NATSError(.protocolViolation, "a malformed header")
            }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            fields.append(Field(name: String(line[..<colon]), value: String(value)))
        }
        throw NATSError(.protocolViolation, "a header block without its end")
    }

    /// Takes a line off the front; nil when none is whole.
    private static func line(_ rest: inout ByteBufferView.SubSequence) -> String? {
        guard let end = rest.firstIndex(of: 0x0a), end > rest.startIndex, rest[end - 1] == 0x0d else { return nil }
        let line = String(decoding: rest[rest.startIndex..<(end - 1)], as: UTF8.self)
        rest = rest[(end + 1)...]
        return line
    }

    /// The block as it is sent.
    func write(into buffer: inout ByteBuffer) {
        buffer.writeString(Self.version)
        if let status { buffer.writeString(" \(status)") }
        buffer.writeString("\r\n")
        for field in fields { buffer.writeString("\(field.name): \(field.value)\r\n") }
        buffer.writeString("\r\n")
    }
}
