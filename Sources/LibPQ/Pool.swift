package import Logging
internal import Synchronization

/// A bounded set of connections, lent one closure at a time.
///
/// Connections start when they are first needed. Waiters are served in order of arrival. A connection that was lost is
/// opened again by its next user, with a backoff after failures (see `Connection`).
package final class Pool: Sendable {
    /// The bounds of a pool.
    package struct Limits: Sendable {
        /// Connections, and so threads, at most.
        package var size: Int
        /// The longest wait for a free connection, and for a connection to be made, together.
        package var wait: Duration
        /// Callers that may wait at once; more are refused.
        package var waiting: Int

        package init(size: Int = 8, wait: Duration = .seconds(5), waiting: Int = 1024) {
            self.size = size
            self.wait = wait
            self.waiting = waiting
        }
    }

    package let limits: Limits
    private let connections: [Connection]
    private let shared: Mutex<Shared>

    private struct Shared {
        var state: PoolState
        var continuations: [PoolState.WaiterID: CheckedContinuation<Int, any Error>] = [:]
    }

    /// `onOpen` runs on each new session, see `Connection`. The threads are named `name` and a number.
    package init(
        configuration: ConnectionConfiguration,
        limits: Limits = Limits(),
        name: String = "pg",
        logger: Logger,
        onOpen: (@Sendable (Session) throws -> Void)? = nil
    ) {
        self.limits = limits
        let state = PoolState(size: limits.size, waitingLimit: limits.waiting)
        connections = (0..<state.size).map { number in
            Connection(configuration: configuration, threadName: "\(name)-\(number)", logger: logger, onOpen: onOpen)
        }
        shared = Mutex(Shared(state: state))
    }

    /// Runs a synchronous closure with a session of the pool, on that session's thread; see `Connection.run`.
    ///
    /// Throws `.poolTimeout` when no connection became free within `limits.wait`, `.poolQueueFull` when too many wait,
    /// `.connectFailed` when none could be made within it, `.shutdown`, `.cancelled`, and what `body` throws.
    package func withConnection<T: Sendable>(_ body: @Sendable (Session) throws -> T) async throws -> T {
        let deadline = ContinuousClock.now + limits.wait
        let number = try await lease()
        defer { release(number) }
        return try await connections[number].run(connectWithin: max(.zero, deadline - .now), body)
    }

    /// Lends a connection for a COPY out for as long as `body` runs; what is left of the COPY then is cancelled.
    package func copyOut<T: Sendable>(
        _ sql: String,
        _ body: (CopyOutSequence) async throws -> T
    ) async throws -> T {
        let number = try await lease()
        defer { release(number) }
        let connection = connections[number]
        do {
            let value = try await body(connection.copyOut(sql))
            await connection.stopCopies()
            return value
        } catch {
            await connection.stopCopies()
            throw error
        }
    }

    /// Lends a connection for a COPY in; see `Connection.copyIn`.
    @discardableResult
    package func copyIn<Source: AsyncSequence & Sendable>(
        _ sql: String,
        _ source: Source
    ) async throws -> Int where Source.Element == [UInt8] {
        let number = try await lease()
        defer { release(number) }
        return try await connections[number].copyIn(sql, source)
    }

    /// Refuses new callers and those who wait, lets what is underway finish, then closes all connections.
    package func shutdown() async {
        let waiters = shared.withLock { shared in
            shared.state.shutdown().compactMap { shared.continuations.removeValue(forKey: $0) }
        }
        for waiter in waiters { waiter.resume(throwing: PostgresError(.shutdown)) }
        for connection in connections { await connection.shutdown() }
    }

    /// How many connections are lent out, and how many callers wait.
    package var occupancy: (leased: Int, waiting: Int) {
        shared.withLock { ($0.state.leased.count, $0.state.waitingCount) }
    }
}

// MARK: - Leases

extension Pool {
    private func lease() async throws -> Int {
        if let free = shared.withLock({ $0.state.leaseAtOnce() }) { return free }
        let waiter = shared.withLock { $0.state.announce() }
        return try await withThrowingTaskGroup(of: Int?.self) { group in
            group.addTask { try await self.wait(as: waiter) }
            group.addTask {
                try? await Task.sleep(for: self.limits.wait)
                self.abandon(waiter, PostgresError(.poolTimeout))
                return nil
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw PostgresError(.poolTimeout)
        }
    }

    private func wait(as waiter: PoolState.WaiterID) async throws -> Int {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let action = shared.withLock { shared in
                    let action = shared.state.lease(waiter)
                    if action == .wait { shared.continuations[waiter] = continuation }
                    return action
                }
                switch action {
                case .lease(let number): continuation.resume(returning: number)
                case .wait: break
                case .reject(let reason): continuation.resume(throwing: reason.error)
                }
            }
        } onCancel: {
            abandon(waiter, PostgresError(.cancelled))
        }
    }

    private func abandon(_ waiter: PoolState.WaiterID, _ error: PostgresError) {
        let continuation = shared.withLock { shared in
            shared.state.abandon(waiter) ? shared.continuations.removeValue(forKey: waiter) : nil
        }
        continuation?.resume(throwing: error)
    }

    private func release(_ number: Int) {
        let next = shared.withLock { shared -> CheckedContinuation<Int, any Error>? in
            switch shared.state.release(number) {
            case .park: nil
            case .hand(let waiter): shared.continuations.removeValue(forKey: waiter)
            }
        }
        next?.resume(returning: number)
    }
}

extension PoolState.Rejection {
    fileprivate var error: PostgresError {
        switch self {
        case .queueFull: PostgresError(.poolQueueFull)
        case .shutdown: PostgresError(.shutdown)
        case .abandoned: PostgresError(.cancelled)
        }
    }
}
