import Synchronization

/// One series of times, by size: how many fell into each bucket of `Metric.buckets`.
package final class Histogram: Sendable {
    /// What was recorded up to one moment.
    package struct Snapshot: Sendable, Hashable {
        /// By bucket, the last one for what exceeds all bounds. Not added up.
        package fileprivate(set) var counts = [Int64](repeating: 0, count: Metric.buckets.count + 1)
        package fileprivate(set) var seconds = 0.0

        package init() {}
    }

    private let state = Mutex(Snapshot())

    init() {}

    /// The lock is held for an addition: a scrape sees whole records.
    package func record(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let time = max(0, Double(seconds) + Double(attoseconds) / 1e18)
        let bucket = Metric.buckets.firstIndex { time <= $0 } ?? Metric.buckets.count
        state.withLock { state in
            state.counts[bucket] += 1
            state.seconds += time
        }
    }

    package var snapshot: Snapshot { state.withLock { $0 } }
}
