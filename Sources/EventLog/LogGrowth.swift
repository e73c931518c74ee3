import Synchronization

/// How far the log is known to reach, and who waits for more. NOTIFY would cost every batch; within a process this is
/// free, and readers poll besides.
final class LogGrowth: Sendable {
    private struct State {
        var position: Int64 = 0
        var waiters: [Int: (beyond: Int64, continuation: CheckedContinuation<Void, Never>)] = [:]
        var cancelled: Set<Int> = []
        var nextWaiter = 0
    }

    private let state = Mutex(State())

    var position: Int64 { state.withLock { $0.position } }

    /// The log reaches at least to `position`.
    func advance(to position: Int64) {
        let woken = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            guard position > state.position else { return [] }
            state.position = position
            let due = state.waiters.filter { $0.value.beyond < position }
            for id in due.keys { state.waiters[id] = nil }
            return due.values.map(\.continuation)
        }
        for continuation in woken { continuation.resume() }
    }

    /// Returns when the log reaches beyond `position`, after `duration`, or on cancellation.
    func wait(beyond position: Int64, atMost duration: Duration) async {
        let id = state.withLock { state -> Int? in
            guard state.position <= position else { return nil }
            state.nextWaiter += 1
            return state.nextWaiter
        }
        guard let id else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await withTaskCancellationHandler {
                    await withCheckedContinuation { self.add($0, id: id, beyond: position) }
                } onCancel: {
                    self.cancel(id)
                }
            }
            group.addTask { try? await Task.sleep(for: duration) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Cancellation may come before the continuation is stored, growth too: both orders end in a resume.
    private func add(_ continuation: CheckedContinuation<Void, Never>, id: Int, beyond: Int64) {
        let resumeNow = state.withLock { state -> Bool in
            if state.cancelled.remove(id) != nil || state.position > beyond { return true }
            state.waiters[id] = (beyond, continuation)
            return false
        }
        if resumeNow { continuation.resume() }
    }

    private func cancel(_ id: Int) {
        let continuation = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard let waiter = state.waiters.removeValue(forKey: id) else {
                state.cancelled.insert(id)
                return nil
            }
            return waiter.continuation
        }
        continuation?.resume()
    }
}
