import Monitoring

/// Counts what one of this process's consumers makes of a queue's messages.
struct ConsumerMeter: Sendable {
    private let done: Counter
    private let failed: Counter

    init(_ metrics: Metrics, _ queue: QueueReference, consumer: String) {
        let labels = ["rastro", queue.name, consumer]
        done = metrics.counter(.consumedMessages, labels + [""])
        failed = metrics.counter(.consumedMessages, labels + ["failed"])
    }

    /// Runs `body`, which works on so many messages, and counts them as done or, when it throws, as failed.
    func count<Value>(_ messages: Int, _ body: () async throws -> Value) async throws -> Value {
        do {
            let value = try await body()
            done.add(messages)
            return value
        } catch {
            failed.add(messages)
            throw error
        }
    }
}
