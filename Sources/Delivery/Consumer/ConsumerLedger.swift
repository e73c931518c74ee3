import Synchronization

/// What a consumer's workers share: the products in work, and what the queue has not been told yet.
///
/// A worker receives only after it has settled what is open, so at most one batch a worker is open, and what a lost
/// database kept from being given back is given back before anybody receives it again.
final class ConsumerLedger: Sendable {
    private struct State {
        var busy: Set<Int64> = []
        var open = ConsumerSettlement()
    }

    private let state = Mutex(State())

    /// Takes those of the products that nobody works on; a moved message and a live one may bear the same.
    func claim(_ groups: Set<Int64>) -> Set<Int64> {
        state.withLock { state in
            let free = groups.subtracting(state.busy)
            state.busy.formUnion(free)
            return free
        }
    }

    func release(_ groups: Set<Int64>) {
        state.withLock { $0.busy.subtract(groups) }
    }

    func add(_ settlement: ConsumerSettlement) {
        state.withLock { $0.open.add(settlement) }
    }

    /// All that is open; who cannot settle it adds it again.
    func take() -> ConsumerSettlement {
        state.withLock { state in
            defer { state.open = ConsumerSettlement() }
            return state.open
        }
    }
}
