import Catalog
package import LibPQ
import Logging

/// The one writer of a process: gathers all submissions that wait, commits them as one transaction and answers each.
///
/// Runs on its connection's thread with blocking calls, so it never waits for a place on Swift's shared pool. While a
/// batch commits, the next gathers: throughput grows with load while one flush to disk serves many requests.
///
/// A batch passes through these states:
///
///     gathered ─► committed ─► answered
///         │  ▲
///         │  └── retried: the connection was lost and the mark in `batches` says that nothing was committed
///         ├── split: a data error names no culprit, so each submission is tried alone
///         └── unknown: the connection was lost around COMMIT and the database stays away
final class Committer {
    let queue: CommitQueue
    let logger: Logger
    let configuration: CommitterConfiguration
    var session: Session?
    var writer: Writer?
    /// The number of the last batch tried; with the writer it is the key of `batches`.
    var batchNumber: Int64 = 0
    var productIDs: [ProductID] = []
    /// Told of each committed batch that has events, and its last position.
    let onCommit: @Sendable (CommittedBatch, Int64) -> Void

    struct Writer {
        let number: Int64
        var epoch: Int64
    }

    init(
        queue: CommitQueue,
        configuration: CommitterConfiguration,
        logger: Logger,
        onCommit: @escaping @Sendable (CommittedBatch, Int64) -> Void
    ) {
        self.queue = queue
        self.configuration = configuration
        self.logger = logger
        self.onCommit = onCommit
    }

    /// Commits until the queue is closed and drained. Blocks its thread.
    func run() {
        while true {
            let batch = queue.take(events: configuration.batchLimit)
            if batch.isEmpty { break }
            commit(batch)
        }
        session?.close()
        session = nil
    }

    /// Brings one batch to an end: every submission in it is answered exactly once.
    private func commit(_ batch: [PendingCommit]) {
        var batch = batch
        var delay: Duration = .milliseconds(5)
        while connected(for: &batch) {
            batchNumber += 1
            let committed: CommittedBatch
            do {
                committed = try transact(batch)
            } catch let lost as LostBatch {
                logger.warning("connection lost during a batch", metadata: ["error": "\(lost.error)"])
                dropSession()
                guard let found = recover(batch, after: lost) else {
                    batch.removeAll(where: \.isAnswered)
                    continue
                }
                committed = found
            } catch {
                if !rollBack() { dropSession() }
                guard isTransient(error) else { return split(batch, after: error) }
                logger.notice("a batch is tried again", metadata: ["error": "\(error)"])
                failExpired(&batch, with: .unavailable)
                pause(for: delay)
                delay = min(delay * 2, .milliseconds(250))
                continue
            }
            if let last = committed.lastPosition { onCommit(committed, last) }
            for (pending, result) in zip(batch, committed.results) { pending.answer(result) }
            return
        }
    }

    /// After an error that the database names: tries one by one, so that a poisonous submission fails alone.
    private func split(_ batch: [PendingCommit], after error: any Error) {
        guard batch.count > 1 else {
            for pending in batch { pending.answer(.failure(failure(of: error))) }
            return
        }
        logger.notice("a batch was refused; trying its submissions alone", metadata: ["error": "\(error)"])
        for pending in batch { commit([pending]) }
    }

    /// Errors that say nothing about the submissions: the lock was held too long, this writer was deposed, …
    private func isTransient(_ error: any Error) -> Bool {
        if case .outOfIDs? = error as? BatchFault { return true }
        guard let error = error as? PostgresError else { return false }
        guard let state = error.sqlState else { return error.code != .decoding && error.code != .invalidRequest }
        switch state {
        case .writerDeposed:
            writer = nil
            dropSession()
            return true
        case .readOnlySQLTransaction:
            // A primary that became a standby: the next connection looks for the new one.
            dropSession()
            return true
        case .lockNotAvailable, .deadlockDetected, .serializationFailure, .queryCanceled, .adminShutdown,
            .cannotConnectNow, .objectNotInPrerequisiteState:
            return true
        case SQLState.Class("53"), SQLState.Class("58"): return true  // out of disk, memory, files
        default: return false
        }
    }

    private func failure(of error: any Error) -> CommitError {
        guard let error = error as? PostgresError, let state = error.sqlState else {
            logger.error("a submission failed", metadata: ["error": "\(String(reflecting: error))"])
            return .refused(sqlState: "XX000")
        }
        switch state {
        case .programTooOld: return .programTooOld
        default:
            logger.error("the database refused a submission", metadata: ["error": "\(String(reflecting: error))"])
            return .refused(sqlState: state.code)
        }
    }

    func dropSession() {
        session?.close()
        session = nil
    }

    private func rollBack() -> Bool {
        guard let session, session.isUsable else { return false }
        session.rollback()
        return session.isUsable
    }
}

/// What a committed batch answers.
struct CommittedBatch {
    let lastPosition: Int64?
    let eventCount: Int
    /// One a submission, in order.
    let results: [Result<Outcome, CommitError>]
}

/// The connection was lost during a batch.
struct LostBatch: Error {
    /// What the batch answers if it turns out to have been committed; nil when the COMMIT was never sent, or when the
    /// answers were lost with the connection and must be read back.
    let decided: CommittedBatch?
    /// Whether the transaction may have been committed.
    let mayBeCommitted: Bool
    let error: PostgresError
}

package struct CommitterConfiguration: Sendable {
    package var connection: ConnectionConfiguration
    /// At most so many events a batch.
    package var batchLimit = 2_000
    /// How many events may wait before submissions are refused.
    package var queueLimit = 20_000
    /// How long a submission may wait while the database is away.
    package var patience: Duration = .seconds(3)

    package init(connection: ConnectionConfiguration) { self.connection = connection }
}

extension SQLState {
    static let writerDeposed: SQLState = "RS001"
    static let programTooOld: SQLState = "RS002"
    static let notInitialised: SQLState = "RS004"
}
