package import NIOCore

/// What a server sends.
package enum ServerOperation: Sendable, Hashable {
    /// Its JSON, as it came.
    case info([UInt8])
    case message(NATSMessage)
    case ping
    case pong
    case acknowledged
    /// The text between the quotes.
    case error(String)
}

/// A message that was delivered to a subscription.
package struct NATSMessage: Sendable, Hashable {
    package let subject: String
    package let subscription: String
    package let reply: String?
    package let headers: NATSHeaders
    package let payload: ByteBuffer
}
