import Synchronization

/// One series that only rises, until the process ends. Counting is one atomic addition.
package final class Counter: Sendable {
    private let count = Atomic<Int64>(0)

    init() {}

    /// - Parameter amount: what is below 0 is not counted.
    package func add(_ amount: Int = 1) {
        guard amount > 0 else { return }
        count.wrappingAdd(Int64(amount), ordering: .relaxed)
    }

    package var value: Int64 { count.load(ordering: .relaxed) }
}
