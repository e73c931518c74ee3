package import Catalog

/// What a queue is set to.
package struct QueueSettings: Sendable, Hashable {
    package let isFIFO: Bool
    /// How long a message is invisible once received, 0 s to 12 h.
    package var visibilityTimeout: Duration = .seconds(30)
    /// How long a message is invisible once sent, 0 s to 15 min.
    package var delay: Duration = .zero
    /// How long a receive that names no time waits, 0 to 20 s.
    package var receiveWait: Duration = .zero
    /// How long a message of the queue's own is kept, 1 min to 14 days. Events are kept by the log.
    package var retention: Duration = .seconds(345_600)
    package var maximumMessageBytes = 1_048_576
    /// The name of the queue that takes what was received `maxReceiveCount` times.
    package var deadLetterQueue: String?
    package var maxReceiveCount: Int?
    package var redriveAllowed = RedriveAllowed.all
    package var hasContentBasedDeduplication = false
    /// Two messages are the same only within their group.
    package var deduplicatesByGroup = false
    package var hasHighThroughput = false
    /// Not nil: the queue's messages are the log's events; nobody but the relay sends to it.
    package var events: EventSelection?

    package init(isFIFO: Bool) { self.isFIFO = isFIFO }
}

/// Which queues may name a queue as their dead-letter queue.
package enum RedriveAllowed: Sendable, Hashable {
    case all
    case none
    /// By name.
    case from([String])
}

/// Which of the log's events are a queue's messages.
package struct EventSelection: Sendable, Hashable {
    /// Only events of these types; none for all.
    package var types: [EventType]
    /// Only events about these products; none for all.
    package var products: [Int64]
    /// Only events after this position.
    package var after: Int64

    package init(types: [EventType] = [], products: [Int64] = [], after: Int64 = 0) {
        self.types = types
        self.products = products
        self.after = after
    }

    /// Every event of the log's rest is selected.
    var isWhole: Bool { types.isEmpty && products.isEmpty }
}
