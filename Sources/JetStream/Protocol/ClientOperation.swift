package import NIOCore

/// What a client sends.
package enum ClientOperation: Sendable {
    /// Its JSON.
    case connect([UInt8])
    case publish(OutgoingMessage, reply: String?)
    case subscribe(subject: String, subscription: String)
    case unsubscribe(subscription: String)
    case ping
    case pong

    /// Appends the operation as it is sent. Subjects and headers were checked before.
    package func write(into buffer: inout ByteBuffer) {
        switch self {
        case .connect(let json):
            buffer.writeString("CONNECT ")
            buffer.writeBytes(json)
            buffer.writeString("\r\n")
        case .publish(let message, let reply): message.write(into: &buffer, reply: reply)
        case .subscribe(let subject, let subscription): buffer.writeString("SUB \(subject) \(subscription)\r\n")
        case .unsubscribe(let subscription): buffer.writeString("UNSUB \(subscription)\r\n")
        case .ping: buffer.writeString("PING\r\n")
        case .pong: buffer.writeString("PONG\r\n")
        }
    }
}

/// A message to be published.
package struct OutgoingMessage: Sendable, Hashable {
    package let subject: String
    package var headers: NATSHeaders
    package let payload: [UInt8]

    /// Bytes of a subject at most.
    static let subjectLimitBytes = 1_024

    package init(subject: String, headers: NATSHeaders = NATSHeaders(), payload: [UInt8] = []) {
        self.subject = subject
        self.headers = headers
        self.payload = payload
    }

    /// Headers and body, about: what counts against limits.
    var sizeBytes: Int {
        payload.count + headers.fields.reduce(16) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
    }

    func check(payloadLimitBytes: Int) throws(NATSError) {
        guard Self.isSubject(subject), headers.isSendable else {
            throw NATSError(.invalidRequest, "a subject or header cannot be sent")
        }
        guard sizeBytes <= payloadLimitBytes else {
            throw NATSError(.payloadTooLarge, "\(sizeBytes) bytes, the server takes \(payloadLimitBytes)")
        }
    }

    /// Whether a message may be published to it: tokens of printable characters, no wildcards.
    package static func isSubject(_ text: String) -> Bool {
        guard 1...subjectLimitBytes ~= text.utf8.count else { return false }
        let tokens = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return tokens.allSatisfy { token in
            !token.isEmpty
                && token.allSatisfy { 0x21...0x7e ~= $0 && $0 != UInt8(ascii: "*") && $0 != UInt8(ascii: ">") }
        }
    }

    fileprivate func write(into buffer: inout ByteBuffer, reply: String?) {
        let address = reply.map { "\(subject) \($0)" } ?? subject
        if headers.isEmpty {
            buffer.writeString("PUB \(address) \(payload.count)\r\n")
        } else {
            var block = ByteBuffer()
            headers.write(into: &block)
            let length = block.readableBytes
            buffer.writeString("HPUB \(address) \(length) \(length + payload.count)\r\n")
            buffer.writeBuffer(&block)
        }
        buffer.writeBytes(payload)
        buffer.writeString("\r\n")
    }
}
