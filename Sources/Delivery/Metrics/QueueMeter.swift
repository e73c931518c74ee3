import Monitoring

/// Counts what this process, as its owner, does for one queue: what was committed.
struct QueueMeter: Sendable {
    private let sent: Counter
    private let received: Counter
    private let deleted: Counter
    private let deadLettered: Counter

    init(_ metrics: Metrics, _ queue: QueueReference) {
        sent = metrics.counter(.queueSent, [queue.name])
        received = metrics.counter(.queueReceived, [queue.name])
        deleted = metrics.counter(.queueDeleted, [queue.name])
        deadLettered = metrics.counter(.queueDeadLettered, [queue.name])
    }

    func count(_ tally: Tally) {
        sent.add(tally.sent)
        received.add(tally.received)
        deleted.add(tally.deleted)
        deadLettered.add(tally.deadLettered)
    }

    /// What one batch does.
    struct Tally {
        var sent = 0
        var received = 0
        var deleted = 0
        var deadLettered = 0
    }
}
