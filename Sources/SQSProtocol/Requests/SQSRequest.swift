import Catalog

/// A request, read and checked as far as it goes without the queue.
package enum SQSRequest: Sendable {
    package static let batchLimit = 10
    /// Of a FIFO queue's messages, and of names a page.
    package static let pageLimit = 1_000

    package struct Creation: Sendable {
        package let name: QueueName
        package let attributes: QueueAttributes
        package let tags: [String: String]
    }

    /// A page of names.
    package struct Page: Sendable {
        /// The name after which it begins.
        package let after: String?
        /// Nil: as many as there are up to `pageLimit`, and no token for more.
        package let limit: Int?
    }

    package struct Receive: Sendable {
        package let queue: QueueName
        package let max: Int
        /// Nil: the queue's own.
        package let visibilityTimeout: Duration?
        /// Nil: the queue's own.
        package let wait: Duration?
        package let systemAttributes: MessageSystemAttribute.Selection
        package let messageAttributes: MessageAttributes.Selection
        /// `ReceiveRequestAttemptId`
        package let attempt: String?
    }

    package struct VisibilityChange: Sendable {
        package let handle: String
        package let timeout: Duration
    }

    package struct Move: Sendable {
        package let source: QueueARN
        /// Nil: where each message came from.
        package let destination: QueueARN?
        package let perSecond: Int?
    }

    case createQueue(Creation)
    case getQueueURL(QueueName)
    case listQueues(prefix: String, Page)
    case getQueueAttributes(QueueName, Set<QueueAttributeName>)
    case setQueueAttributes(QueueName, QueueAttributes)
    case sendMessage(QueueName, OutgoingMessage)
    case sendMessageBatch(QueueName, [BatchEntry<OutgoingMessage>])
    case receiveMessage(Receive)
    case deleteMessage(QueueName, handle: String)
    case deleteMessageBatch(QueueName, [BatchEntry<String>])
    case changeMessageVisibility(QueueName, VisibilityChange)
    case changeMessageVisibilityBatch(QueueName, [BatchEntry<VisibilityChange>])
    case purgeQueue(QueueName)
    case deleteQueue(QueueName)
    case tagQueue(QueueName, [String: String])
    case untagQueue(QueueName, [String])
    case listQueueTags(QueueName)
    case listDeadLetterSourceQueues(QueueName, Page)
    case startMessageMoveTask(Move)
    case listMessageMoveTasks(QueueARN, limit: Int)
    case cancelMessageMoveTask(handle: String)
}
