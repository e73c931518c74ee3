import LibPQ
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A thread that runs one closure to its end; others may wait for that end without blocking.
package final class WorkerThread: Sendable {
    private enum State {
        case running
        case awaited(CheckedContinuation<Void, Never>)
        case finished
    }

    private let state = Mutex(State.running)

    package init(name: String, body: @escaping @Sendable () -> Void) {
        DetachedThread.start(named: name) { [self] in
            body()
            let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
                defer { state = .finished }
                if case .awaited(let continuation) = state { return continuation }
                return nil
            }
            waiter?.resume()
        }
    }

    /// Returns when the closure has ended. One waiter.
    package func finished() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state -> Bool in
                if case .finished = state { return true }
                state = .awaited(continuation)
                return false
            }
            if isOver { continuation.resume() }
        }
    }
}
