import Glibc

/// The bounded way from many tasks to a dispatcher's one thread.
final class QueueInbox: @unchecked Sendable {
    // Safe to share: every stored property is read and written only between `lock` and `unlock` of `mutex`.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let arrived = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var requests: [QueueRequest] = []
    private var isWoken = false
    private var closed = false
    private let limit: Int

    /// - Parameter limit: how many requests may wait.
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

    func add(_ request: QueueRequest) {
        pthread_mutex_lock(mutex)
        let refusal: QueueError? = closed ? .shuttingDown : requests.count >= limit ? .overloaded : nil
        if refusal == nil {
            requests.append(request)
            pthread_cond_signal(arrived)
        }
        pthread_mutex_unlock(mutex)
        if let refusal { request.refuse(refusal) }
    }

    /// Lets the dispatcher look at the log again.
    func wake() {
        pthread_mutex_lock(mutex)
        isWoken = true
        pthread_cond_signal(arrived)
        pthread_mutex_unlock(mutex)
    }

    func close() {
        pthread_mutex_lock(mutex)
        closed = true
        pthread_cond_signal(arrived)
        pthread_mutex_unlock(mutex)
    }

    var isClosed: Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return closed
    }

    /// All that waits; blocks the calling thread until something does, `wake` is called, or `microseconds` have passed.
    func take(waitingAtMost microseconds: Int64) -> [QueueRequest] {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        if requests.isEmpty, !isWoken, !closed, microseconds > 0 {
            var until = timespec()
            clock_gettime(CLOCK_REALTIME, &until)
            let nanoseconds = Int64(until.tv_nsec) + microseconds % 1_000_000 * 1_000
            until.tv_sec += Int(microseconds / 1_000_000 + nanoseconds / 1_000_000_000)
            until.tv_nsec = Int(nanoseconds % 1_000_000_000)
            pthread_cond_timedwait(arrived, mutex, &until)
        }
        isWoken = false
        defer { requests.removeAll(keepingCapacity: true) }
        return requests
    }
}
