import LibPQ
import Synchronization

/// The bounded way from many tasks to a dispatcher's one thread.
final class QueueInbox: Sendable {
    /// How much may wait.
    struct Limits: Sendable {
        var requests = 10_000
        var bytes = 32 << 20
    }

    private struct State {
        var requests: [QueueRequest] = []
        var byteCount = 0
        var isWoken = false
        var isClosed = false

        /// What a look finds; nil while there is nothing to do.
        mutating func take() -> [QueueRequest]? {
            guard !requests.isEmpty || isWoken || isClosed else { return nil }
            isWoken = false
            byteCount = 0
            defer { requests.removeAll(keepingCapacity: true) }
            return requests
        }
    }

    private let state = Monitor(State())
    /// Set by the dispatcher at a take-over and when it gives the queue up, not in between: who asks meanwhile would look
    /// for an owner elsewhere.
    let isOwner = Atomic(false)
    private let limits: Limits

    init(limits: Limits = Limits()) { self.limits = limits }

    /// Adds a request; what is refused is answered at once.
    func add(_ request: QueueRequest) {
        let byteCount = request.byteCount
        let refusal = state.withLock { state -> QueueError? in
            if state.isClosed { return .shuttingDown }
            let isFull = state.requests.count >= limits.requests || state.byteCount + byteCount > limits.bytes
            if isFull, !state.requests.isEmpty { return .overloaded }
            state.requests.append(request)
            state.byteCount += byteCount
            return nil
        }
        if let refusal { request.refuse(refusal) } else { state.signal() }
    }

    /// Lets the dispatcher look at the log again.
    func wake() {
        state.withLock { $0.isWoken = true }
        state.signal()
    }

    /// Refuses what comes from now on.
    func close() {
        state.withLock { $0.isClosed = true }
        state.signal()
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Closes it if nothing waits; false otherwise.
    func closeIfEmpty() -> Bool {
        state.withLock { state in
            guard state.requests.isEmpty else { return false }
            state.isClosed = true
            return true
        }
    }

    /// All that waits; blocks the calling thread until something does, `wake` is called, or `microseconds` have passed.
    func take(waitingAtMost microseconds: Int64) -> [QueueRequest] {
        state.wait(atMost: microseconds) { $0.take() } ?? []
    }
}
