import Catalog

/// What CreateQueue and SetQueueAttributes say of a queue, and what GetQueueAttributes tells; nil: nothing is said.
package struct QueueAttributes: Sendable, Hashable {
    package enum DeduplicationScope: String, Sendable { case queue, messageGroup }
    package enum ThroughputLimit: String, Sendable { case perQueue, perMessageGroupId }

    /// What is said of dead letters: that there are none counts as said.
    package enum Redrive: Sendable, Hashable {
        case never
        case by(RedrivePolicy)
    }

    package static let visibilityTimeouts = 0...43_200
    package static let retentions = 60...1_209_600
    package static let delays = 0...900
    package static let messageSizes = 1_024...MessageText.limitBytes
    package static let waits = 0...20

    package var visibilityTimeout: Duration?
    package var retention: Duration?
    package var delay: Duration?
    package var maximumMessageBytes: Int?
    package var receiveWait: Duration?
    package var redrivePolicy: Redrive?
    package var redriveAllowPolicy: RedriveAllowPolicy?
    /// Whether `FifoQueue` is true.
    package var isFIFO = false
    package var hasContentBasedDeduplication: Bool?
    package var deduplicationScope: DeduplicationScope?
    package var throughputLimit: ThroughputLimit?
    /// Said at creation only.
    package var events: EventSource?

    package init() {}
}

// MARK: - Reading

extension QueueAttributes {
    /// Reads `Attributes` of CreateQueue.
    init(creating name: QueueName, _ members: [(name: String, value: String)]) throws(SQSError) {
        var events: EventSource?
        if let source = members.first(where: { $0.name == QueueAttributeName.rastroSource.rawValue }) {
            guard source.value == "events" else {
                throw .invalidAttributeValue(.rastroSource, "The one source there is, is events.")
            }
            events = EventSource()
        }
        for member in members {
            guard let attribute = try Self.attribute(member) else { continue }
            switch attribute {
            case .rastroSource: break
            case .rastroEventTypes, .rastroProductIds, .rastroFromPosition:
                guard events != nil else {
                    throw .invalidAttributeName(attribute.rawValue, "It goes with RastroSource only.")
                }
                if attribute == .rastroEventTypes { try events?.setTypes(member.value) }
                if attribute == .rastroProductIds { try events?.setProducts(member.value) }
                if attribute == .rastroFromPosition { try events?.setStart(member.value) }
            case .fifoQueue:
                guard member.value == "true" else {
                    throw .invalidAttributeValue(.fifoQueue, "Leave it out for a standard queue.")
                }
                isFIFO = true
            default: try set(attribute, member.value)
            }
        }
        self.events = events
        guard isFIFO == name.isFIFO else { throw .invalidQueueName(isFIFO: isFIFO) }
        try check(isFIFO: isFIFO)
    }

    /// Reads `Attributes` of SetQueueAttributes; whether they fit the queue, `check(isFIFO:)` tells.
    init(changing members: [(name: String, value: String)]) throws(SQSError) {
        for member in members {
            guard let attribute = try Self.attribute(member) else { continue }
            // SQS lets what is so already be said again.
            if attribute == .fifoQueue, member.value == "true" {
                isFIFO = true
                continue
            }
            guard attribute != .fifoQueue else {
                throw .invalidAttributeValue(.fifoQueue, "Modifying queue type is not supported.")
            }
            guard !attribute.isForCreationOnly else {
                throw .invalidAttributeName(
                    attribute.rawValue,
                    "It is said when the queue is created and never changes."
                )
            }
            try set(attribute, member.value)
        }
    }

    /// Whether they can be those of a queue of this kind.
    package func check(isFIFO: Bool) throws(SQSError) {
        if self.isFIFO, !isFIFO { throw .invalidAttributeName(QueueAttributeName.fifoQueue.rawValue) }
        if isFIFO { return }
        if hasContentBasedDeduplication != nil { throw .fifoOnly(.contentBasedDeduplication) }
        if deduplicationScope != nil { throw .fifoOnly(.deduplicationScope) }
        if throughputLimit != nil { throw .fifoOnly(.fifoThroughputLimit) }
    }

    /// Nil for an attribute of SQS of which nothing is said but that there is none.
    private static func attribute(_ member: (name: String, value: String)) throws(SQSError)
        -> QueueAttributeName?
    {
        if let attribute = QueueAttributeName(rawValue: member.name), !attribute.isReadOnly {
            return attribute
        }
        if QueueAttributeName.foreign.contains(member.name) {
            let isNothing =
                member.value.isEmpty || member.name == "SqsManagedSseEnabled" && member.value == "false"
            guard isNothing else {
                throw .unsupportedOperation("Queues here have no \(member.name).")
            }
            return nil
        }
        throw .invalidAttributeName(member.name)
    }

    private mutating func set(_ attribute: QueueAttributeName, _ value: String) throws(SQSError) {
        switch attribute {
        case .visibilityTimeout:
            visibilityTimeout = try Self.seconds(attribute, value, Self.visibilityTimeouts)
        case .messageRetentionPeriod: retention = try Self.seconds(attribute, value, Self.retentions)
        case .delaySeconds: delay = try Self.seconds(attribute, value, Self.delays)
        case .receiveMessageWaitTimeSeconds:
            receiveWait = try Self.seconds(attribute, value, Self.waits)
        case .maximumMessageSize:
            maximumMessageBytes = try Self.integer(attribute, value, Self.messageSizes)
        case .redrivePolicy:
            redrivePolicy = value.isEmpty ? .never : .by(try RedrivePolicy(text: value))
        case .redriveAllowPolicy:
            redriveAllowPolicy = value.isEmpty ? .allowAll : try RedriveAllowPolicy(text: value)
        case .contentBasedDeduplication:
            guard value == "true" || value == "false" else { throw .invalidAttributeValue(attribute) }
            hasContentBasedDeduplication = value == "true"
        case .deduplicationScope:
            guard let scope = DeduplicationScope(rawValue: value) else {
                throw .invalidAttributeValue(attribute)
            }
            deduplicationScope = scope
        case .fifoThroughputLimit:
            guard let limit = ThroughputLimit(rawValue: value) else {
                throw .invalidAttributeValue(attribute)
            }
            throughputLimit = limit
        default: throw .invalidAttributeName(attribute.rawValue)
        }
    }

    private static func seconds(
        _ attribute: QueueAttributeName,
        _ value: String,
        _ range: ClosedRange<Int>
    ) throws(SQSError) -> Duration {
        .seconds(try integer(attribute, value, range))
    }

    private static func integer(
        _ attribute: QueueAttributeName,
        _ value: String,
        _ range: ClosedRange<Int>
    ) throws(SQSError) -> Int {
        guard let number = Int(value), range.contains(number) else {
            throw .invalidAttributeValue(attribute)
        }
        return number
    }
}

// MARK: - Telling

extension QueueAttributes {
    /// What is said here, as GetQueueAttributes tells it.
    package var texts: [QueueAttributeName: String] {
        var texts = events?.texts ?? [:]
        if events != nil { texts[.rastroSource] = "events" }
        texts[.visibilityTimeout] = visibilityTimeout.map(Self.text)
        texts[.messageRetentionPeriod] = retention.map(Self.text)
        texts[.delaySeconds] = delay.map(Self.text)
        texts[.maximumMessageSize] = maximumMessageBytes.map { String($0) }
        texts[.receiveMessageWaitTimeSeconds] = receiveWait.map(Self.text)
        if case .by(let policy)? = redrivePolicy { texts[.redrivePolicy] = policy.text }
        texts[.redriveAllowPolicy] = redriveAllowPolicy?.text
        if isFIFO { texts[.fifoQueue] = "true" }
        texts[.contentBasedDeduplication] = hasContentBasedDeduplication.map { $0 ? "true" : "false" }
        texts[.deduplicationScope] = deduplicationScope?.rawValue
        texts[.fifoThroughputLimit] = throughputLimit?.rawValue
        return texts
    }

    private static func text(_ duration: Duration) -> String { String(duration.components.seconds) }
}
