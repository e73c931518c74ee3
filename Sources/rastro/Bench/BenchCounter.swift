import Synchronization

/// Counts what many tasks do.
final class BenchCounter: Sendable {
    private let count = Atomic(0)
    private let ended = Atomic(false)

    var value: Int { count.load(ordering: .relaxed) }

    func add(_ number: Int) { count.add(number, ordering: .relaxed) }

    /// Those who count are to stop.
    func end() { ended.store(true, ordering: .relaxed) }

    var isOver: Bool { ended.load(ordering: .relaxed) }

    /// How much is added in a second, over a while from now.
    func rate(over duration: Duration) async throws -> Double {
        let (before, start) = (value, ContinuousClock.now)
        try await Task.sleep(for: duration)
        return Double(value - before) / ((ContinuousClock.now - start) / .seconds(1))
    }
}
