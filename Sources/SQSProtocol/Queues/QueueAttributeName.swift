/// The attributes of queues: those of SQS that have a meaning here, then Rastro's own.
package enum QueueAttributeName: String, Sendable, Hashable, CaseIterable {
    case visibilityTimeout = "VisibilityTimeout"
    case messageRetentionPeriod = "MessageRetentionPeriod"
    case delaySeconds = "DelaySeconds"
    case maximumMessageSize = "MaximumMessageSize"
    case receiveMessageWaitTimeSeconds = "ReceiveMessageWaitTimeSeconds"
    case redrivePolicy = "RedrivePolicy"
    case redriveAllowPolicy = "RedriveAllowPolicy"
    case fifoQueue = "FifoQueue"
    case contentBasedDeduplication = "ContentBasedDeduplication"
    case deduplicationScope = "DeduplicationScope"
    case fifoThroughputLimit = "FifoThroughputLimit"

    case queueArn = "QueueArn"
    case approximateNumberOfMessages = "ApproximateNumberOfMessages"
    case approximateNumberOfMessagesNotVisible = "ApproximateNumberOfMessagesNotVisible"
    case approximateNumberOfMessagesDelayed = "ApproximateNumberOfMessagesDelayed"
    case createdTimestamp = "CreatedTimestamp"
    case lastModifiedTimestamp = "LastModifiedTimestamp"

    /// Whose queue's messages are the log's events: `events`.
    case rastroSource = "RastroSource"
    /// Only events of these types, comma-separated: `CREATED,UPDATED`.
    case rastroEventTypes = "RastroEventTypes"
    /// Only events of these products, comma-separated ids.
    case rastroProductIds = "RastroProductIds"
    /// From this position of the log on; `new` from its end.
    case rastroFromPosition = "RastroFromPosition"

    /// Told, never set.
    package var isReadOnly: Bool {
        switch self {
        case .queueArn, .approximateNumberOfMessages, .approximateNumberOfMessagesNotVisible,
            .approximateNumberOfMessagesDelayed, .createdTimestamp, .lastModifiedTimestamp:
            true
        default: false
        }
    }

    /// Said when the queue is made and never again.
    package var isForCreationOnly: Bool {
        switch self {
        case .fifoQueue, .rastroSource, .rastroEventTypes, .rastroProductIds, .rastroFromPosition: true
        default: false
        }
    }

    /// Only FIFO queues have it.
    package var isForFIFOOnly: Bool {
        switch self {
        case .contentBasedDeduplication, .deduplicationScope, .fifoThroughputLimit: true
        default: false
        }
    }

    /// How many messages there are: only the queue's owner knows.
    package var isCount: Bool {
        switch self {
        case .approximateNumberOfMessages, .approximateNumberOfMessagesNotVisible,
            .approximateNumberOfMessagesDelayed:
            true
        default: false
        }
    }

    /// Attributes of SQS that no queue here has: asking for them is no error, and saying that there is none changes
    /// nothing.
    static let foreign: Set<String> = [
        "Policy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled",
    ]

    /// Which attributes `AttributeNames` asks for.
    ///
    /// - Throws: `InvalidAttributeName` for a name that SQS does not know either.
    package static func selection(_ wanted: [String]) throws(SQSError) -> Set<QueueAttributeName> {
        var names: Set<QueueAttributeName> = []
        for text in wanted {
            if text == "All" {
                names.formUnion(allCases)
            } else if let name = QueueAttributeName(rawValue: text) {
                names.insert(name)
            } else if !foreign.contains(text) {
                throw .invalidAttributeName(text)
            }
        }
        return names
    }
}
