package import Catalog

/// What an operation answers, with status 200.
package enum SQSAnswer: Sendable {
    /// A message that was taken.
    package struct Sent: Sendable {
        package let messageID: String
        package let bodyMD5: String
        package let attributesMD5: String?
        /// Of FIFO queues only.
        package let sequenceNumber: String?

        package init(_ message: OutgoingMessage, messageID: String, sequenceNumber: String?) {
            self.messageID = messageID
            self.sequenceNumber = sequenceNumber
            bodyMD5 = Digest.md5(message.body.utf8)
            attributesMD5 = message.attributes.md5
        }
    }

    /// A message that is handed out.
    package struct Received: Sendable {
        package let messageID: String
        package let receiptHandle: String
        package let body: String
        /// Those that were asked for and that the message has.
        package let systemAttributes: [(name: MessageSystemAttribute, value: String)]
        /// Those that were asked for.
        package let attributes: MessageAttributes

        package init(
            messageID: String,
            receiptHandle: String,
            body: String,
            systemAttributes: [(name: MessageSystemAttribute, value: String)],
            attributes: MessageAttributes
        ) {
            self.messageID = messageID
            self.receiptHandle = receiptHandle
            self.body = body
            self.systemAttributes = systemAttributes
            self.attributes = attributes
        }
    }

    package struct Move: Sendable {
        package enum Status: String, Sendable {
            case running = "RUNNING"
            case completed = "COMPLETED"
            case cancelling = "CANCELLING"
            case cancelled = "CANCELLED"
            case failed = "FAILED"
        }

        /// Told while it runs only.
        package var handle: String?
        package var status: Status
        package var source: QueueARN
        package var destination: QueueARN?
        package var perSecond: Int?
        package var moved: Int64
        package var toMove: Int64?
        package var failure: String?
        package var startedAt: Timestamp

        package init(status: Status, source: QueueARN, moved: Int64, startedAt: Timestamp) {
            (self.status, self.source, self.moved, self.startedAt) = (status, source, moved, startedAt)
        }
    }

    case done
    case queueURL(String)
    case queueURLs([String], next: String?)
    case deadLetterSources([String], next: String?)
    case attributes([(name: String, value: String)])
    case sent(Sent)
    case sentBatch([BatchEntry<Sent>])
    case received([Received])
    /// Of batches that tell no more than what was done.
    case doneBatch([BatchEntry<Void>])
    case tags([String: String])
    case moveStarted(handle: String)
    case moves([Move])
    case moveCancelled(moved: Int64)
}
