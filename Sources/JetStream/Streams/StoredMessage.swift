import Catalog
import Foundation
import NIOCore

/// A message as a stream keeps it.
package struct StoredMessage: Sendable, Hashable {
    package let subject: String
    package let sequence: Int64
    package let headers: NATSHeaders
    package let payload: [UInt8]

    init(_ answer: JSONValue) throws(NATSError) {
        guard let message = answer["message"], let subject = message["subject"]?.text,
            let sequence = message["seq"]?.int,
            let headers = Self.bytes(message["hdrs"]), let payload = Self.bytes(message["data"])
        else { throw NATSError(.protocolViolation, "a stored message lacks its subject or sequence") }
        self.subject = subject
        self.sequence = sequence
        self.headers =
            headers.isEmpty ? NATSHeaders() : try NATSHeaders(parsing: ByteBuffer(bytes: headers).readableBytesView)
        self.payload = payload
    }

    /// Base 64; nothing when it is absent.
    private static func bytes(_ value: JSONValue?) -> [UInt8]? {
        guard let value else { return [] }
        return value.text.flatMap { Data(base64Encoded: $0) }.map { Array($0) }
    }
}
