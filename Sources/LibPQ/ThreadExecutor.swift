internal import Glibc

/// Runs an actor's jobs one after the other on a thread of its own, so that blocking calls there never hold a thread of
/// Swift's shared pool.
///
/// The thread starts with the first job and ends after `stop()`, once nothing is left to do. A job that comes later is
/// run all the same, on a new thread: a job may never be dropped.
package final class ThreadExecutor: SerialExecutor {
    private enum Work {
        case job(UnownedJob)
        case closure(@Sendable () -> Void)
    }

    private struct State {
        var queue: [Work] = []
        var isStopping = false
        var isRunning = false
        var thread: pthread_t?
    }

    /// The thread's name, of which the system keeps 15 bytes.
    package let name: String
    private let monitor = Monitor(State())

    package init(name: String) { self.name = name }

    package func enqueue(_ job: consuming ExecutorJob) { add(.job(UnownedJob(job))) }

    /// Runs a closure between the jobs.
    package func submit(_ closure: @escaping @Sendable () -> Void) { add(.closure(closure)) }

    package func checkIsolated() { precondition(isCurrent, "not on the thread \(name)") }

    /// Lets the thread end when it has nothing left to do. Does not wait.
    package func stop() {
        monitor.withLock { $0.isStopping = true }
        monitor.signal()
    }

    /// Like `stop`, and waits until the thread has finished its work, except when called on it.
    package func stopAndWait() {
        stop()
        guard !isCurrent else { return }
        monitor.wait { $0.isRunning ? nil : () }
    }

    /// Whether the caller is on this executor's thread.
    package var isCurrent: Bool {
        monitor.withLock { state in state.thread.map { pthread_equal($0, pthread_self()) != 0 } ?? false }
    }

    private func add(_ work: Work) {
        let mustStart = monitor.withLock { state in
            state.queue.append(work)
            defer { state.isRunning = true }
            return !state.isRunning
        }
        if mustStart { start() } else { monitor.signal() }
    }

    private func start() {
        if let thread = NativeThread(named: name, { self.runLoop() }) {
            thread.detach()
        } else {
            // The system has no thread left: do what waits here, then end.
            stop()
            runLoop()
        }
    }

    private func runLoop() {
        monitor.withLock { $0.thread = pthread_self() }
        while let batch = nextBatch() {
            for work in batch {
                switch work {
                case .job(let job): job.runSynchronously(on: asUnownedSerialExecutor())
                case .closure(let closure): closure()
                }
            }
        }
        monitor.signal()
    }

    /// What waits, or nil when the thread is to end.
    private func nextBatch() -> [Work]? {
        monitor.wait { state -> [Work]?? in
            if !state.queue.isEmpty {
                defer { state.queue = [] }
                return .some(state.queue)
            }
            guard state.isStopping else { return nil }
            state.isRunning = false
            state.thread = nil
            return .some(nil)
        }
    }
}
