#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

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
final class CommitQueue: @unchecked Sendable {
    // Safe to share: every stored property is read and written only between `lock` and `unlock` of `mutex`.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let arrived = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var waiting: [PendingCommit] = []
    private var head = 0
    private var waitingEvents = 0
    private var isClosed = false
    private let limit: Int

    /// - Parameter limit: how many events may wait; beyond that submissions are refused.
    init(limit: Int) {
        self.limit = limit
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(arrived, nil)
    }

    deinit {
        pthread_cond_destroy(arrived)
        pthread_mutex_destroy(mutex)
        arrived.deallocate()
        mutex.deallocate()
    }

    /// Adds a submission; what is refused is answered at once.
    func add(_ pending: PendingCommit) {
        pthread_mutex_lock(mutex)
        let refusal: CommitError? =
            isClosed ? .shuttingDown : waitingEvents + pending.work.eventBound > limit ? .overloaded : nil
        if refusal == nil {
            waiting.append(pending)
            waitingEvents += pending.work.eventBound
            pthread_cond_signal(arrived)
        }
        pthread_mutex_unlock(mutex)
        if let refusal { pending.answer(.failure(refusal)) }
    }

    /// Takes all that waits, up to `events`, blocking the calling thread until something does. An act comes alone.
    /// Empty once the queue is closed and drained.
    func take(events: Int) -> [PendingCommit] {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while head == waiting.count {
            if isClosed { return [] }
            pthread_cond_wait(arrived, mutex)
        }
        var end = head
        var total = 0
        while end < waiting.count {
            let next = waiting[end].work
            if end > head, total + next.eventBound > events { break }
            if case .act = next {
                if end == head { end += 1 }
                total += 1
                break
            }
            total += next.eventBound
            end += 1
        }
        let batch = Array(waiting[head..<end])
        head = end
        waitingEvents -= batch.reduce(0) { $0 + $1.work.eventBound }
        if head == waiting.count {
            waiting.removeAll(keepingCapacity: true)
            head = 0
        }
        return batch
    }

    /// Takes what has waited past its deadline, without blocking: while the database is away nobody waits for ever.
    func takeExpired(at now: ContinuousClock.Instant) -> [PendingCommit] {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        let expired = waiting[head...].filter { $0.deadline <= now }
        guard !expired.isEmpty else { return [] }
        waiting = waiting[head...].filter { $0.deadline > now }
        head = 0
        waitingEvents = waiting.reduce(0) { $0 + $1.work.eventBound }
        return expired
    }

    /// Refuses what comes from now on; what waits is still taken.
    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_cond_broadcast(arrived)
        pthread_mutex_unlock(mutex)
    }

    var depth: Int {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return waitingEvents
    }
}
