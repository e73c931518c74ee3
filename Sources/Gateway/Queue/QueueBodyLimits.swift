import SQSProtocol

/// How long requests to queues may be.
struct QueueBodyLimits: Sendable {
    let sends: BodyLimits
    /// Of all other operations.
    let others: BodyLimits
    /// All that are under way together.
    let all: QueueBodies

    init(_ configuration: GatewayConfiguration) {
        sends = BodyLimits(bytes: configuration.queueBodyLimitBytes, time: configuration.requestTimeout)
        others = BodyLimits(bytes: configuration.queueShortBodyLimitBytes, time: configuration.requestTimeout)
        all = QueueBodies(limitBytes: configuration.queueBodiesLimitBytes)
    }

    /// - Parameter operation: nil for one that there is not.
    func limits(for operation: SQSOperation?) -> BodyLimits {
        switch operation {
        case .sendMessage, .sendMessageBatch: sends
        default: others
        }
    }
}
