internal import CLibPQ
internal import Glibc
internal import Synchronization

/// Stops what a session does, from any thread.
///
/// A session that was cancelled is of no further use: its next call throws `.cancelled`. While the session commits, and
/// in whatever it runs uncancellably, `cancel()` does nothing.
package final class CancelHandle: Sendable {
    private struct State {
        var protections = 0
        var isCancelled = false
        var isClosed = false
    }

    private let state = Mutex(State())
    // Sendable: libpq's PGcancel is made to be used from other threads; it is freed once, by deinit.
    private nonisolated(unsafe) let request: OpaquePointer?
    /// Becomes readable on `cancel()`, so that a wait for notifications ends; -1 if there is none.
    let wakeDescriptor: Int32

    init(connection: OpaquePointer) {
        request = PQgetCancel(connection)
        wakeDescriptor = rastro_event_counter()
    }

    deinit {
        PQfreeCancel(request)
        if wakeDescriptor >= 0 { Glibc.close(wakeDescriptor) }
    }

    /// Whether the session was cancelled.
    package var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Asks the server to stop the running statement. Returns at once: the request opens a socket and waits for the
    /// server, so it runs on a thread of its own. False if the session is committing, closed, or was cancelled before.
    @discardableResult
    package func cancel() -> Bool {
        let accepted = state.withLock { state in
            guard state.protections == 0, !state.isCancelled, !state.isClosed else { return false }
            state.isCancelled = true
            return true
        }
        guard accepted else { return false }
        wake()
        DetachedThread.start(named: "pg-cancel") { self.sendRequest() }
        return true
    }

    /// From here on `cancel()` does nothing. Throws `.cancelled` if it was called already.
    func protect() throws(PostgresError) {
        let isCancelled = state.withLock { state in
            if !state.isCancelled { state.protections += 1 }
            return state.isCancelled
        }
        if isCancelled { throw PostgresError(.cancelled) }
    }

    func unprotect() { state.withLock { $0.protections -= 1 } }

    func markClosed() { state.withLock { $0.isClosed = true } }

    /// Sends the request on the caller's thread and waits for the server to have passed it on.
    func sendRequest() {
        guard let request else { return }
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { message in
            _ = PQcancel(request, message.baseAddress, Int32(truncatingIfNeeded: message.count))
        }
    }

    private func wake() {
        guard wakeDescriptor >= 0 else { return }
        var one: UInt64 = 1
        _ = Glibc.write(wakeDescriptor, &one, MemoryLayout<UInt64>.size)
    }
}
