import Synchronization

/// How long events take from their commit to a consumer.
final class BenchLatency: Sendable {
    private struct State {
        var committed: [Int64: ContinuousClock.Instant] = [:]
        var received: [Int64: ContinuousClock.Instant] = [:]
        var milliseconds: [Double] = []

        mutating func settle(_ position: Int64) {
            guard let start = committed[position], let end = received[position] else { return }
            // A consumer may have it before the one who appended it is told.
            milliseconds.append(max(0, (end - start) / .milliseconds(1)))
            committed[position] = nil
            received[position] = nil
        }
    }

    private let state = Mutex(State())

    func committed(_ position: Int64) {
        let now = ContinuousClock.now
        state.withLock { state in
            state.committed[position] = now
            state.settle(position)
        }
    }

    /// Of what nobody waits for, only the moment is kept.
    func received(_ position: Int64) {
        let now = ContinuousClock.now
        state.withLock { state in
            state.received[position] = now
            state.settle(position)
        }
    }

    /// Milliseconds.
    func quantile(_ part: Double) -> Double {
        state.withLock { state in
            let sorted = state.milliseconds.sorted()
            return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]
        }
    }
}
