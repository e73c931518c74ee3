/// What a request asks for: the operation's name.
package enum SQSOperation: String, Sendable, Hashable, CaseIterable {
    case createQueue = "CreateQueue"
    case getQueueURL = "GetQueueUrl"
    case listQueues = "ListQueues"
    case getQueueAttributes = "GetQueueAttributes"
    case setQueueAttributes = "SetQueueAttributes"
    case sendMessage = "SendMessage"
    case sendMessageBatch = "SendMessageBatch"
    case receiveMessage = "ReceiveMessage"
    case deleteMessage = "DeleteMessage"
    case deleteMessageBatch = "DeleteMessageBatch"
    case changeMessageVisibility = "ChangeMessageVisibility"
    case changeMessageVisibilityBatch = "ChangeMessageVisibilityBatch"
    case purgeQueue = "PurgeQueue"
    case deleteQueue = "DeleteQueue"
    case tagQueue = "TagQueue"
    case untagQueue = "UntagQueue"
    case listQueueTags = "ListQueueTags"
    case listDeadLetterSourceQueues = "ListDeadLetterSourceQueues"
    case startMessageMoveTask = "StartMessageMoveTask"
    case listMessageMoveTasks = "ListMessageMoveTasks"
    case cancelMessageMoveTask = "CancelMessageMoveTask"

    private static let prefix = "AmazonSQS."

    /// Reads `X-Amz-Target`.
    package init(target: String?) throws(SQSError) {
        guard let target, target.hasPrefix(Self.prefix),
            let operation = SQSOperation(rawValue: String(target.dropFirst(Self.prefix.utf8.count)))
        else { throw .unknownOperation(target) }
        self = operation
    }

    /// The value of `X-Amz-Target`.
    package var target: String { Self.prefix + rawValue }

    /// What a key must be good for.
    package enum Right: Sendable, Hashable {
        case consume, send, administer
        /// Any of the others.
        case any
    }

    package var right: Right {
        switch self {
        case .receiveMessage, .deleteMessage, .deleteMessageBatch, .changeMessageVisibility,
            .changeMessageVisibilityBatch:
            .consume
        case .sendMessage, .sendMessageBatch: .send
        case .createQueue, .setQueueAttributes, .purgeQueue, .deleteQueue, .tagQueue, .untagQueue,
            .startMessageMoveTask, .cancelMessageMoveTask:
            .administer
        case .getQueueURL, .listQueues, .getQueueAttributes, .listQueueTags,
            .listDeadLetterSourceQueues,
            .listMessageMoveTasks:
            .any
        }
    }
}
