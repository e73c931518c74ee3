import Monitoring

/// Counts what this process sends to one destination.
struct DestinationMeter: Sendable {
    private let accepted: Counter
    private let retried: Counter
    private let refused: Counter
    private let unavailable: Counter
    private let bytes: Counter
    private let duration: Histogram

    init(_ metrics: Metrics, _ destination: DestinationDescription) {
        let operation = [destination.kind.messagingSystem, destination.name, "send"]
        func sent(_ errorType: String) -> Counter { metrics.counter(.sentMessages, operation + [errorType]) }
        accepted = sent("")
        retried = sent("retry")
        refused = sent("refused")
        unavailable = sent("unavailable")
        bytes = metrics.counter(.destinationBytes, [destination.name])
        duration = metrics.histogram(.operationDuration, operation)
    }

    /// Sends, and counts what became of it.
    func send(
        _ messages: [OutgoingEvent],
        to destination: any Destination,
        _ permit: SendPermit
    ) async -> [SendOutcome] {
        let start = ContinuousClock.now
        let outcomes = await destination.send(messages, permit)
        duration.record(ContinuousClock.now - start)
        for (message, outcome) in zip(messages, outcomes) {
            switch outcome {
            case .accepted:
                accepted.add()
                bytes.add(message.body.count)
            case .retry: retried.add()
            case .refused: refused.add()
            case .unavailable, .gone: unavailable.add()
            }
        }
        // An outcome that is missing is one that is not known.
        unavailable.add(messages.count - outcomes.count)
        return outcomes
    }
}

extension DestinationDescription.Kind {
    /// As OpenTelemetry names it, where it has a name.
    var messagingSystem: String { self == .sqs ? "aws_sqs" : rawValue }
}
