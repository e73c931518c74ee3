package import NIOCore

/// Reads what a server sends, however it is cut into pieces. Keeps at most one unfinished operation and what came after
/// it, and as much again that was read.
///
/// Source: the NATS client protocol; lines end with CRLF, verbs are case-insensitive, fields stand between spaces or tabs.
package struct ProtocolParser: Sendable {
    package struct Limits: Sendable {
        /// A line; `INFO` is the longest.
        package var lineBytes = 32 * 1024
        /// A message's headers and body together.
        package var messageBytes = 8 << 20
        package var headerBytes = 64 * 1024

        package init() {}
    }

    private let limits: Limits
    private var buffer = ByteBuffer()
    /// So many unread bytes hold no line end.
    private var searched = 0
    /// The message whose bytes are awaited.
    private var head: Head?
    private var failure: NATSError?

    private struct Head {
        let subject: String
        let subscription: String
        let reply: String?
        let headerBytes: Int
        let totalBytes: Int
    }

    package init(limits: Limits = Limits()) { self.limits = limits }

    package mutating func append(_ bytes: ByteBuffer) {
        var bytes = bytes
        guard buffer.readableBytes > 0 else {
            buffer = bytes
            return
        }
        // Something may always remain: what was read must go all the same, but seldom, as the rest is moved for it.
        if buffer.readerIndex > Self.readBytesLimit, buffer.readerIndex >= buffer.readableBytes {
            buffer.discardReadBytes()
        }
        buffer.writeBuffer(&bytes)
    }

    private static let readBytesLimit = 64 * 1024

    /// Nothing has come that was not read.
    var isEmpty: Bool { buffer.readableBytes == 0 && head == nil }
    /// Bytes that are kept, read or not.
    var keptBytes: Int { buffer.writerIndex }

    /// The next whole operation; nil: more bytes are needed. After an error it is thrown for ever.
    package mutating func next() throws(NATSError) -> ServerOperation? {
        if let failure { throw failure }
        do throws(NATSError) { return try operation() } catch {
            failure = error
            throw error
        }
    }

    private mutating func operation() throws(NATSError) -> ServerOperation? {
        if let head { return try message(head) }
        guard let line = try line() else { return nil }
        let words = line.split(maxSplits: 1) { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        guard let verb = words.first else { throw NATSError(.protocolViolation, "an empty line") }
        let rest = words.count > 1 ? words[1] : []
        switch String(decoding: verb, as: UTF8.self).uppercased() {
        case "MSG": return try message(begin(rest, hasHeaders: false))
        case "HMSG": return try message(begin(rest, hasHeaders: true))
        case "PING": return .ping
        case "PONG": return .pong
        case "+OK": return .acknowledged
        case "INFO": return .info(Array(rest))
        case "-ERR": return .error(Self.unquoted(rest))
        default: throw NATSError(.protocolViolation, "an operation that no server sends")
        }
    }

    /// The next line without its end; nil when it is not whole.
    private mutating func line() throws(NATSError) -> ArraySlice<UInt8>? {
        let unread = buffer.readableBytesView
        guard let end = unread.dropFirst(searched).firstIndex(of: 0x0a) else {
            searched = unread.count
            guard searched <= limits.lineBytes else { throw NATSError(.protocolViolation, "a line is too long") }
            return nil
        }
        searched = 0
        let length = end - unread.startIndex
        guard length > 0, length <= limits.lineBytes + 1, unread[end - 1] == 0x0d,
            let bytes = buffer.readBytes(length: length + 1)
        else { throw NATSError(.protocolViolation, "a line is too long or has a malformed end") }
        return bytes.dropLast(2)
    }

    private mutating func begin(_ text: ArraySlice<UInt8>, hasHeaders: Bool) throws(NATSError) -> Head {
        let words = text.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        let lengths = hasHeaders ? 2 : 1
        guard 2 + lengths...3 + lengths ~= words.count,
            let total = Self.length(words[words.count - 1]),
            let headers = hasHeaders ? Self.length(words[words.count - 2]) : 0
        else { throw NATSError(.protocolViolation, "a malformed message line") }
        guard total <= limits.messageBytes, headers <= min(total, limits.headerBytes) else {
            throw NATSError(.protocolViolation, "a message is too long")
        }
        let head = Head(
            subject: String(decoding: words[0], as: UTF8.self),
            subscription: String(decoding: words[1], as: UTF8.self),
            reply: words.count == 3 + lengths ? String(decoding: words[2], as: UTF8.self) : nil,
            headerBytes: headers,
            totalBytes: total
        )
        self.head = head
        return head
    }

    /// Digits only, and few enough not to overflow.
    private static func length(_ digits: ArraySlice<UInt8>) -> Int? {
        guard 1...9 ~= digits.count, digits.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    private mutating func message(_ head: Head) throws(NATSError) -> ServerOperation? {
        guard buffer.readableBytes >= head.totalBytes + 2 else { return nil }
        guard let headerBlock = buffer.readSlice(length: head.headerBytes),
            let payload = buffer.readSlice(length: head.totalBytes - head.headerBytes),
            buffer.readBytes(length: 2) == [0x0d, 0x0a]
        else { throw NATSError(.protocolViolation, "a message has another length than it said") }
        self.head = nil
        let headers = head.headerBytes > 0 ? try NATSHeaders(parsing: headerBlock.readableBytesView) : NATSHeaders()
        return .message(
            NATSMessage(
                subject: head.subject,
                subscription: head.subscription,
                reply: head.reply,
                headers: headers,
                payload: payload
            )
        )
    }

    private static func unquoted(_ text: ArraySlice<UInt8>) -> String {
        let trimmed = String(decoding: text, as: UTF8.self).drop { $0 == " " }
        guard trimmed.count >= 2, trimmed.first == "'", trimmed.last == "'" else { return String(trimmed) }
        return String(trimmed.dropFirst().dropLast())
    }
}
