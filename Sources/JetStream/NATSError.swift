/// What went wrong with a NATS server or JetStream.
///
/// `description` is safe to show anyone. `debugDescription` adds what the server said: it holds no secrets, but names
/// hosts and subjects, and is for operators and the log.
package struct NATSError: Error, Sendable, Hashable {
    package enum Code: Sendable, Hashable {
        /// An address, a credentials file, a certificate or a name cannot be understood.
        case invalidConfiguration
        /// No connection could be made, or TLS was refused; nothing was sent.
        case connectFailed
        /// The server does not know the credentials.
        case authenticationFailed
        /// The account may not publish or subscribe to a subject.
        case permissionDenied
        /// The server sent what the protocol does not allow, or more than is accepted here.
        case protocolViolation
        /// The connection broke or was closed: whether what was in flight took effect is unknown.
        case connectionLost
        /// No answer came in time: whether the request took effect is unknown.
        case timeout
        /// Nobody listens on the subject: no such stream, or JetStream is off.
        case noResponders
        /// Too many requests wait already.
        case overloaded
        /// A subject or header cannot be sent as it stands; nothing was sent.
        case invalidRequest
        /// The message is longer than the server takes; nothing was sent.
        case payloadTooLarge
        /// A message before this one in the same call failed; nothing was sent.
        case notSent
        /// The task was cancelled before there was a connection.
        case cancelled
        /// JetStream refused: an HTTP-like status and its own code (`err_code`).
        case refused(status: Int, code: Int)
    }

    package let code: Code
    let detail: String

    init(_ code: Code, _ detail: String = "") {
        self.code = code
        self.detail = detail
    }
}

extension NATSError: CustomStringConvertible, CustomDebugStringConvertible {
    package var description: String {
        switch code {
        case .invalidConfiguration: "invalid NATS configuration"
        case .connectFailed: "cannot connect to NATS"
        case .authenticationFailed: "NATS refused the credentials"
        case .permissionDenied: "NATS denied a permission"
        case .protocolViolation: "NATS protocol violation"
        case .connectionLost: "the connection to NATS was lost"
        case .timeout: "NATS did not answer in time"
        case .noResponders: "no JetStream stream takes the subject"
        case .overloaded: "too many requests wait for NATS"
        case .invalidRequest: "not a valid NATS request"
        case .payloadTooLarge: "the message is longer than NATS takes"
        case .notSent: "a message before this one failed"
        case .cancelled: "the connection is wanted no more"
        case .refused(let status, let code): "JetStream refused: status \(status), code \(code)"
        }
    }

    package var debugDescription: String { detail.isEmpty ? description : "\(description): \(detail)" }
}

/// JetStream's own codes (`err_code`) that somebody here decides by. Source: nats-server's errors.json.
package enum JetStreamErrorCode {
    package static let noMessageFound = 10037
    package static let streamNameInUse = 10058
    package static let streamNotFound = 10059
    package static let wrongLastMessageID = 10070
    package static let wrongLastSequence = 10071
}
