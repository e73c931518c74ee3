package import Catalog

/// A message with its body.
package struct ReceivedMessage: Sendable {
    package let messageID: String
    package let receiptHandle: String
    /// Of events: CloudEvents JSON, see `CloudEvent`.
    package let body: String
    /// Message attributes as they were given; nil for events.
    package let attributes: [UInt8]?
    /// Of FIFO queues; for events the product's id, or `log`.
    package let groupID: String?
    package let deduplicationID: String?
    /// 20 digits.
    package let sequenceNumber: String
    /// This receive included.
    package let receiveCount: Int
    /// About: after a take-over no earlier than that.
    package let firstReceivedAt: Timestamp
    package let sentAt: Timestamp
    /// The public id of the sender's key; `rastro` for events.
    package let senderKeyID: String
    package let traceparent: String?
    /// The queue in which it died, in a dead-letter queue.
    package let deadLetterSource: String?
}
