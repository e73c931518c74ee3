import LibPQ

/// A submission that waits for its batch.
final class PendingCommit: @unchecked Sendable {
    // Safe to share: once queued, only the thread that took it from the queue touches `continuation`.
    let context: RequestContext
    let work: Work
    /// When waiting stops making sense: it then fails with `.unavailable`.
    let deadline: ContinuousClock.Instant
    private var continuation: UnsafeContinuation<Result<Outcome, CommitError>, Never>?

    init(
        context: RequestContext,
        work: Work,
        deadline: ContinuousClock.Instant,
        continuation: UnsafeContinuation<Result<Outcome, CommitError>, Never>
    ) {
        self.context = context
        self.work = work
        self.deadline = deadline
        self.continuation = continuation
    }

    var isAnswered: Bool { continuation == nil }

    /// Answers the one who waits; only the first answer counts.
    func answer(_ result: Result<Outcome, CommitError>) {
        continuation?.resume(returning: result)
        continuation = nil
    }
}

/// The bounded queue between many handlers and the committer's one thread.
///
/// Bounded by events, not by submissions: a list of 200 weighs as much as 200 fetches.
final class CommitQueue: Sendable {
    private let state = Monitor(State())
    private let limit: Int

    /// - Parameter limit: how many events may wait; beyond that submissions are refused.
    init(limit: Int) { self.limit = limit }

    /// Adds a submission; what is refused is answered at once.
    func add(_ pending: PendingCommit) {
        let refusal = state.withLock { state -> CommitError? in
            if state.isClosed { return .shuttingDown }
            if state.events + pending.work.eventBound > limit { return .overloaded }
            state.add(pending)
            return nil
        }
        if let refusal { pending.answer(.failure(refusal)) } else { state.signal() }
    }

    /// Takes all that waits, up to `events`, blocking the calling thread until something does. An act comes alone.
    /// Empty once the queue is closed and drained.
    func take(events: Int) -> [PendingCommit] {
        state.wait { state in state.isEmpty ? (state.isClosed ? [] : nil) : state.take(events: events) }
    }

    /// Takes what has waited past its deadline, without blocking: while the database is away nobody waits for ever.
    func takeExpired(at now: ContinuousClock.Instant) -> [PendingCommit] {
        state.withLock { $0.takeExpired(at: now) }
    }

    /// Refuses what comes from now on; what waits is still taken.
    func close() {
        state.withLock { $0.isClosed = true }
        state.signal()
    }

    /// How many events wait.
    var depth: Int { state.withLock { $0.events } }
}

extension CommitQueue {
    /// Pure: what waits, in order.
    private struct State {
        private var waiting: [PendingCommit] = []
        private var head = 0
        private(set) var events = 0
        var isClosed = false

        var isEmpty: Bool { head == waiting.count }

        mutating func add(_ pending: PendingCommit) {
            waiting.append(pending)
            events += pending.work.eventBound
        }

        mutating func take(events limit: Int) -> [PendingCommit] {
            var end = head
            var total = 0
            while end < waiting.count {
                let next = waiting[end].work
                if end > head, total + next.eventBound > limit { break }
                if case .act = next {
                    if end == head { end += 1 }
                    break
                }
                total += next.eventBound
                end += 1
            }
            let batch = Array(waiting[head..<end])
            head = end
            events -= batch.reduce(0) { $0 + $1.work.eventBound }
            compact()
            return batch
        }

        /// Gives up what was taken; amortised O(1) a submission, also while the queue never runs empty.
        private mutating func compact() {
            guard isEmpty || head > 1_024 && head * 2 >= waiting.count else { return }
            waiting.removeFirst(head)
            head = 0
        }

        mutating func takeExpired(at now: ContinuousClock.Instant) -> [PendingCommit] {
            let expired = waiting[head...].filter { $0.deadline <= now }
            guard !expired.isEmpty else { return [] }
            waiting = waiting[head...].filter { $0.deadline > now }
            head = 0
            events = waiting.reduce(0) { $0 + $1.work.eventBound }
            return expired
        }
    }
}
