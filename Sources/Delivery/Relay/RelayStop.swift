import Synchronization

/// Tells a relay to end, once and for all.
final class RelayStop: Sendable {
    private struct State {
        var isSet = false
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var cancelled: Set<Int> = []
        var next = 0
    }

    private let state = Mutex(State())

    var isSet: Bool { state.withLock(\.isSet) }

    func set() {
        let waiters = state.withLock { state in
            state.isSet = true
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when it is set, or the time is up.
    func wait(atMost duration: Duration) async {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await withTaskCancellationHandler {
                    await withCheckedContinuation { self.add($0, id: id) }
                } onCancel: {
                    self.cancel(id)
                }
            }
            group.addTask { try? await Task.sleep(for: duration) }
            await group.next()
            group.cancelAll()
        }
        state.withLock { _ = $0.cancelled.remove(id) }
    }

    /// Cancellation may come before the continuation is stored, the end too: all orders end in a resume.
    private func add(_ continuation: CheckedContinuation<Void, Never>, id: Int) {
        let resumesNow = state.withLock { state -> Bool in
            if state.isSet || state.cancelled.contains(id) { return true }
            state.waiters[id] = continuation
            return false
        }
        if resumesNow { continuation.resume() }
    }

    private func cancel(_ id: Int) {
        let continuation = state.withLock { state in
            state.cancelled.insert(id)
            return state.waiters.removeValue(forKey: id)
        }
        continuation?.resume()
    }
}
