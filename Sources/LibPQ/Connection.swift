package import Logging
internal import Synchronization

/// A session that lives on its own named thread: the blocking calls of libpq happen there and never on Swift's pool.
///
/// The session is opened on first use and again after it was lost, with a backoff between failed attempts; the log
/// tells of losses and of recoveries. Each `run` has the session to itself.
package actor Connection {
    private nonisolated let executor: ThreadExecutor
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let configuration: ConnectionConfiguration
    private let logger: Logger
    private let onOpen: (@Sendable (Session) throws -> Void)?
    private var session: Session?
    private var backoff = Backoff()
    private var lastFailure: PostgresError?
    private var wasLost = false
    private(set) var isShutDown = false
    /// The COPY that occupies the session between the calls of its sequence.
    var activeCopy: CopyID?

    /// `onOpen` runs on each new session before anything else; when it throws, the session is closed and the error is
    /// treated as a failed attempt to connect. Opens nothing yet.
    package init(
        configuration: ConnectionConfiguration,
        threadName: String,
        logger: Logger,
        onOpen: (@Sendable (Session) throws -> Void)? = nil
    ) {
        self.configuration = configuration
        self.logger = logger
        self.onOpen = onOpen
        executor = ThreadExecutor(name: threadName)
    }

    deinit { executor.stop() }

    /// Runs a synchronous closure with the session on the connection's thread.
    ///
    /// What is left of a transaction when it returns is rolled back. When the task is cancelled, the running statement
    /// is cancelled (a COMMIT never is), `.cancelled` is thrown, and the session is thrown away. Throws `.connectFailed`
    /// at once while a backoff lasts, `.shutdown` after `shutdown()`, `.invalidRequest` while a COPY is underway, and
    /// what `body` throws.
    package func run<T: Sendable>(_ body: @Sendable (Session) throws -> T) async throws -> T {
        try await cancellable { cancellation in
            guard activeCopy == nil else { throw PostgresError(.invalidRequest, "a COPY is underway") }
            return try perform(cancellation, body)
        }
    }

    /// Like `run`, but tries again to connect for up to `limit`, when that fails.
    package nonisolated func run<T: Sendable>(
        connectWithin limit: Duration,
        _ body: @Sendable (Session) throws -> T
    ) async throws -> T {
        let deadline = ContinuousClock.now + limit
        while true {
            do {
                return try await run(body)
            } catch let error as PostgresError where error.code == .connectFailed {
                let next = ContinuousClock.now + (await delayBeforeNextAttempt)
                guard next < deadline else { throw error }
                do { try await Task.sleep(until: next, clock: .continuous) } catch { throw PostgresError(.cancelled) }
            }
        }
    }

    /// How long the backoff still lasts.
    package var delayBeforeNextAttempt: Duration { backoff.delay(at: .now) }

    /// Ends the session after what is underway, and the thread. Every later call throws `.shutdown`.
    package nonisolated func shutdown() async {
        await end()
        executor.stopAndWait()
    }

    private func end() {
        isShutDown = true
        activeCopy = nil
        session?.close()
        session = nil
    }
}

// MARK: - Within the actor

extension Connection {
    /// Runs the operation so that the task's cancellation reaches the session in use.
    func cancellable<T: Sendable>(
        _ operation: (Cancellation) async throws -> T
    ) async throws -> T {
        let cancellation = Cancellation()
        return try await withTaskCancellationHandler {
            try await operation(cancellation)
        } onCancel: {
            cancellation.cancel()
        }
    }

    /// Runs `body` with an open session and tidies up after it.
    func perform<T>(_ cancellation: Cancellation, _ body: (Session) throws -> T) throws -> T {
        let session = try openSession()
        try cancellation.begin(session.cancelHandle)
        defer {
            cancellation.end()
            tidy(session)
        }
        return try body(session)
    }

    /// The session, opened if need be.
    func openSession() throws -> Session {
        guard !isShutDown else { throw PostgresError(.shutdown) }
        if let session {
            if session.checkAlive() { return session }
            discard(session)
        }
        guard backoff.delay(at: .now) == .zero else {
            throw lastFailure ?? PostgresError(.connectFailed)
        }
        do {
            let session = try Session.open(configuration, logger: logger)
            try onOpen?(session)
            self.session = session
            noteOpened()
            return session
        } catch {
            throw noteFailure(error)
        }
    }

    /// The session as it is, for a COPY that goes on.
    func currentSession() throws(PostgresError) -> Session {
        guard let session else { throw PostgresError(isShutDown ? .shutdown : .connectionLost) }
        return session
    }

    /// Ends what the last user left open; throws a session away that is of no further use.
    func tidy(_ session: Session) {
        guard activeCopy == nil else { return }
        if session.isUsable, session.transactionStatus != .idle {
            if session.copyState == .none, session.transactionStatus != .active {
                logger.warning("a transaction was left open and is rolled back", metadata: metadata)
                session.rollback()
            } else {
                session.markBroken()
            }
        }
        if !session.isUsable { discard(session) }
    }

    private func discard(_ session: Session) {
        let wasCancelled = session.cancelHandle.isCancelled
        session.close()
        self.session = nil
        if wasCancelled {
            logger.debug("session closed after a cancelled statement", metadata: metadata)
        } else {
            wasLost = true
            logger.warning("database connection lost", metadata: metadata)
        }
    }

    private func noteOpened() {
        if wasLost || backoff.failures > 0 {
            let failures = backoff.failures
            logger.notice(
                "database connection restored",
                metadata: metadata.merging(["failed_attempts": "\(failures)"]) { $1 }
            )
        } else {
            logger.debug("database connection opened", metadata: metadata)
        }
        wasLost = false
        lastFailure = nil
        backoff.succeeded()
    }

    private func noteFailure(_ error: any Error) -> any Error {
        let delay = backoff.failed(at: .now, random: .random(in: 0..<1))
        let known = error as? PostgresError
        let failure =
            known?.code == .connectFailed || known?.code == .invalidConfiguration
            ? known : PostgresError(.connectFailed, String(reflecting: error), server: known?.report)
        lastFailure = failure
        logger.warning(
            "database connection failed",
            metadata: metadata.merging([
                "error": "\(failure?.debugDescription ?? "")", "next_attempt_in": "\(delay)",
                "failed_attempts": "\(backoff.failures)",
            ]) { $1 }
        )
        return failure ?? error
    }

    private var metadata: Logger.Metadata {
        ["database": "\(configuration.redactedDescription)", "thread": "\(executor.name)"]
    }

    /// Runs on the connection's thread, soon.
    nonisolated func later(_ body: @escaping @Sendable (isolated Connection) -> Void) {
        executor.submit { self.assumeIsolated { body($0) } }
    }
}

/// Carries a task's cancellation to the session that works for it, and to no later one.
final class Cancellation: Sendable {
    private enum State {
        case waiting
        case running(CancelHandle)
        case cancelled
        case ended
    }

    private let state = Mutex(State.waiting)

    /// Names the session at work; throws `.cancelled` if the task was cancelled before.
    func begin(_ handle: CancelHandle) throws(PostgresError) {
        let isCancelled = state.withLock { state in
            if case .cancelled = state { return true }
            state = .running(handle)
            return false
        }
        if isCancelled { throw PostgresError(.cancelled) }
    }

    func end() { state.withLock { $0 = .ended } }

    func cancel() {
        let handle: CancelHandle? = state.withLock { state in
            switch state {
            case .waiting:
                state = .cancelled
                return nil
            case .running(let handle): return handle
            case .cancelled, .ended: return nil
            }
        }
        handle?.cancel()
    }
}
