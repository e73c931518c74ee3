import Catalog
import Delivery
import SQSProtocol

/// Between what the protocol calls attributes and what queues are set to.
extension QueueSettings {
    init(_ creation: SQSRequest.Creation, events: EventSelection?) throws(SQSError) {
        self.init(isFIFO: creation.name.isFIFO)
        self.events = events
        try apply(creation.attributes)
    }

    /// Takes over what is said.
    mutating func apply(_ attributes: QueueAttributes) throws(SQSError) {
        if let value = attributes.visibilityTimeout { visibilityTimeout = value }
        if let value = attributes.retention { retention = value }
        if let value = attributes.delay { delay = value }
        if let value = attributes.maximumMessageBytes { maximumMessageBytes = value }
        if let value = attributes.receiveWait { receiveWait = value }
        switch attributes.redrivePolicy {
        case .never?: (deadLetterQueue, maxReceiveCount) = (nil, nil)
        case .by(let policy)?:
            (deadLetterQueue, maxReceiveCount) = (policy.deadLetterQueue.name.text, policy.maxReceiveCount)
        case nil: break
        }
        switch attributes.redriveAllowPolicy {
        case .allowAll?: redriveAllowed = .all
        case .denyAll?: redriveAllowed = .none
        case .byQueue(let queues)?: redriveAllowed = .from(queues.map(\.name.text))
        case nil: break
        }
        if let value = attributes.hasContentBasedDeduplication { hasContentBasedDeduplication = value }
        if let value = attributes.deduplicationScope { deduplicatesByGroup = value == .messageGroup }
        if let value = attributes.throughputLimit { hasHighThroughput = value == .perMessageGroupId }
        guard !hasHighThroughput || deduplicatesByGroup else {
            throw .invalidAttributeValue(
                .fifoThroughputLimit,
                "perMessageGroupId is allowed only when the value for DeduplicationScope is messageGroup."
            )
        }
    }

    /// All of them, as attributes.
    func attributes(region: String) -> QueueAttributes {
        func arn(_ name: String) -> QueueARN? { QueueName(name).map { QueueARN(region: region, name: $0) } }
        var attributes = QueueAttributes()
        attributes.visibilityTimeout = visibilityTimeout
        attributes.retention = retention
        attributes.delay = delay
        attributes.maximumMessageBytes = maximumMessageBytes
        attributes.receiveWait = receiveWait
        if let target = deadLetterQueue.flatMap(arn), let count = maxReceiveCount {
            attributes.redrivePolicy = .by(RedrivePolicy(deadLetterQueue: target, maxReceiveCount: count))
        }
        switch redriveAllowed {
        // The real service is silent about it until it is set.
        case .all: break
        case .none: attributes.redriveAllowPolicy = .denyAll
        case .from(let names): attributes.redriveAllowPolicy = .byQueue(names.compactMap(arn))
        }
        if isFIFO {
            attributes.isFIFO = true
            attributes.hasContentBasedDeduplication = hasContentBasedDeduplication
            attributes.deduplicationScope = deduplicatesByGroup ? .messageGroup : .queue
            attributes.throughputLimit = hasHighThroughput ? .perMessageGroupId : .perQueue
        }
        if let events {
            attributes.events = EventSource(
                types: events.types,
                products: events.products.compactMap { ProductID($0) },
                start: .position(events.after + 1)
            )
        }
        return attributes
    }

    /// The first attribute in which two settings differ.
    func firstDifference(from other: QueueSettings) -> QueueAttributeName? {
        let (mine, its) = (attributes(region: "-").texts, other.attributes(region: "-").texts)
        return QueueAttributeName.allCases.first { $0 != .rastroFromPosition && mine[$0] != its[$0] }
    }
}

extension QueueAttributes {
    /// An attribute that is said here and that the queues made by Rastro itself keep as it is.
    var firstBeyondBuiltIn: QueueAttributeName? {
        let free: Set<QueueAttributeName> = [
            .visibilityTimeout, .receiveMessageWaitTimeSeconds, .redrivePolicy, .fifoQueue,
        ]
        return QueueAttributeName.allCases.first { texts[$0] != nil && !free.contains($0) }
    }
}

extension QueueDescription {
    /// Those attributes that were asked for and that the queue has.
    func attributes(
        _ names: Set<QueueAttributeName>,
        counts: QueueCounts?,
        _ call: QueueCall
    ) -> [(name: String, value: String)] {
        var texts = settings.attributes(region: call.region).texts
        texts[.queueArn] = call.arn(name)?.description
        texts[.createdTimestamp] = String(createdAt.microseconds / 1_000_000)
        texts[.lastModifiedTimestamp] = String(changedAt.microseconds / 1_000_000)
        if let counts {
            texts[.approximateNumberOfMessages] = String(counts.visible)
            texts[.approximateNumberOfMessagesNotVisible] = String(counts.inFlight)
            texts[.approximateNumberOfMessagesDelayed] = String(counts.delayed)
        }
        return QueueAttributeName.allCases.compactMap { name in
            names.contains(name) ? texts[name].map { (name.rawValue, $0) } : nil
        }
    }
}

extension QueueName {
    /// The name of a queue that exists.
    init(found queue: QueueDescription) {
        guard let name = QueueName(queue.name) else { preconditionFailure("\(queue.name) is no queue's name") }
        self = name
    }
}
