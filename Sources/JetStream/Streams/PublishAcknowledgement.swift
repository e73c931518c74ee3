import Catalog
import NIOCore

/// The server has a message. It has not been forced to disk: a crash of the machine can lose it still.
package struct PublishAcknowledgement: Sendable, Hashable {
    package let stream: String
    package let sequence: Int64
    /// The stream had a message of that id already, within its duplicate window; this one was not stored.
    package let isDuplicate: Bool

    init(_ answer: JSONValue) throws(NATSError) {
        guard let stream = answer["stream"]?.text, let sequence = answer["seq"]?.int else {
            throw NATSError(.protocolViolation, "an acknowledgement lacks its stream or sequence")
        }
        self.stream = stream
        self.sequence = sequence
        isDuplicate = answer["duplicate"]?.flag ?? false
    }
}
