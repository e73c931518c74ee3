import LibPQ

/// The bounded way from many tasks to a dispatcher's one thread.
final class QueueInbox: Sendable {
    private struct State {
        var requests: [QueueRequest] = []
        var isWoken = false
        var isClosed = false

        /// What a look finds; nil while there is nothing to do.
        mutating func take() -> [QueueRequest]? {
            guard !requests.isEmpty || isWoken || isClosed else { return nil }
            isWoken = false
            defer { requests.removeAll(keepingCapacity: true) }
            return requests
        }
    }

    private let state = Monitor(State())
    private let limit: Int

    /// - Parameter limit: how many requests may wait.
    init(limit: Int) { self.limit = limit }

    /// Adds a request; what is refused is answered at once.
    func add(_ request: QueueRequest) {
        let refusal = state.withLock { state -> QueueError? in
            if state.isClosed { return .shuttingDown }
            if state.requests.count >= limit { return .overloaded }
            state.requests.append(request)
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

    /// All that waits; blocks the calling thread until something does, `wake` is called, or `microseconds` have passed.
    func take(waitingAtMost microseconds: Int64) -> [QueueRequest] {
        state.wait(atMost: microseconds) { $0.take() } ?? []
    }
}
