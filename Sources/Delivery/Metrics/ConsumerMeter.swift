import Monitoring

/// Counts what one of this process's consumers makes of a queue's messages.
struct ConsumerMeter: Sendable {
    /// Messages whose effect was had.
    let done: Counter
    /// Messages that could not be applied, each time anew.
    let failed: Counter

    init(_ metrics: Metrics, _ queue: QueueReference, consumer: String) {
        let labels = ["rastro", queue.name, consumer]
        done = metrics.counter(.consumedMessages, labels + [""])
        failed = metrics.counter(.consumedMessages, labels + ["failed"])
    }
}
