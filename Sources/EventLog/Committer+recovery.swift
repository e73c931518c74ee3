import Catalog
import LibPQ
import Logging

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Reconnecting, and the sound answer to an unknown commit.
extension Committer {
    /// Makes sure of a connection with a writer row, trying with backoff; what waits too long meanwhile is answered
    /// and leaves `batch`. False once `batch` is empty.
    func connected(for batch: inout [PendingCommit]) -> Bool {
        var delay: Duration = .milliseconds(20)
        while true {
            batch.removeAll(where: \.isAnswered)
            if batch.isEmpty { return false }
            if session?.isUsable != true || writer == nil {
                dropSession()
                do {
                    try open()
                } catch {
                    logger.warning("the committer cannot reach the database", metadata: ["error": "\(error)"])
                }
            }
            if session != nil { return true }
            failExpired(&batch, with: .unavailable)
            if batch.isEmpty { return false }
            pause(for: delay)
            delay = min(delay * 2, .milliseconds(500))
        }
    }

    private func open() throws {
        let session = try Session.open(configuration.connection)
        try session.prepare(Statements.all)
        if writer == nil {
            let row = try session.query(
                Statements.registerWriter,
                Parameters().text(configuration.connection.applicationName)
            ).only()
            writer = Writer(number: try row.int64(0), epoch: try row.int64(1))
            batchNumber = 0
        }
        self.session = session
    }

    /// After a lost connection: was the batch committed?
    ///
    /// Locks the head, so that nothing of ours can be about to commit; raises the epoch, so that a batch which still
    /// waits for the lock fails when it gets it; then looks for the batch's mark. What is not there then can never be.
    ///
    /// - Returns: what the batch answers if it was committed; nil when it was not (what is unanswered then can safely be
    ///   tried again) or when the database stayed away until every submission in it had been answered.
    func recover(_ batch: [PendingCommit], after lost: LostBatch) -> CommittedBatch? {
        let lostNumber = batchNumber
        var delay: Duration = .milliseconds(20)
        var waiting = batch
        while true {
            do {
                if session?.isUsable != true { try open() }
                guard let found = try findBatch(lostNumber) else {
                    if writer == nil, lost.mayBeCommitted {
                        // The writer's row is gone, and with it perhaps the mark: nothing can be said any more.
                        for pending in batch { pending.answer(.failure(.outcomeUnknown)) }
                    }
                    return nil
                }
                logger.notice("a lost batch had been committed", metadata: ["last": "\(found.upperBound)"])
                return try lost.decided ?? readBack(batch, positions: found)
            } catch {
                logger.warning("recovery waits for the database", metadata: ["error": "\(error)"])
                dropSession()
            }
            failExpired(&waiting, with: lost.mayBeCommitted ? .outcomeUnknown : .unavailable)
            if waiting.isEmpty { return nil }
            pause(for: delay)
            delay = min(delay * 2, .milliseconds(500))
        }
    }

    private func findBatch(_ number: Int64) throws -> ClosedRange<Int64>? {
        guard let session, let lostWriter = writer else { return nil }
        try session.begin()
        _ = try session.query(Statements.lockHeadOnly)
        let raised = try session.query(Statements.raiseEpoch, Parameters().int64(lostWriter.number))
        let mark = try session.query(Statements.findBatch, Parameters().int64(lostWriter.number).int64(number))
        let found = try mark.isEmpty ? nil : mark[0].int64(0)...mark[0].int64(1)
        let epoch = try raised.isEmpty ? nil : raised[0].int64(0)
        try session.commit()
        writer = epoch.map { Writer(number: lostWriter.number, epoch: $0) }
        return found
    }

    /// The answers of a batch of fetches that was committed but never answered: each product at the version that its
    /// event saw.
    private func readBack(_ batch: [PendingCommit], positions: ClosedRange<Int64>) throws -> CommittedBatch {
        guard let session else { throw PostgresError(code: .shutdown) }
        var states: [SeenVersion: ProductState] = [:]
        let rows = try session.query(
            Statements.readPositions,
            Parameters().int64(positions.lowerBound).int64(positions.upperBound)
        )
        var results: [Result<Outcome, CommitError>] = []
        for row in rows {
            let position = try row.int64(0)
            guard let id = ProductID(try row.int64(1)) else { continue }
            let seen = SeenVersion(id: id, version: try row.optionalInt32(3))
            let state =
                try states[seen] ?? ProductHistory(session: session, productID: id).state(at: position)
            states[seen] = state
            let answer: Answer =
                switch state {
                case .live(let product): .product(product, changed: false)
                case .deleted(_, let version): .rejected(.gone(id, version: version))
                case .absent: .rejected(.notFound(id))
                }
            results.append(.success(Outcome(position: position, answer: answer)))
        }
        guard results.count == batch.count else { throw CommitError.outcomeUnknown }
        return CommittedBatch(lastPosition: positions.upperBound, eventCount: positions.count, results: results)
    }

    /// What fetches of one batch saw alike: their products are read back once.
    private struct SeenVersion: Hashable {
        let id: ProductID
        let version: Int32?
    }

    func failExpired(_ batch: inout [PendingCommit], with failure: CommitError) {
        let now = ContinuousClock.now
        for pending in queue.takeExpired(at: now) { pending.answer(.failure(.unavailable)) }
        for pending in batch where pending.deadline <= now { pending.answer(.failure(failure)) }
        batch.removeAll { $0.deadline <= now }
    }

    /// The committer's thread is its own: blocking it holds up nobody else.
    func pause(for duration: Duration) {
        usleep(UInt32(duration.components.seconds * 1_000_000 + duration.components.attoseconds / 1_000_000_000_000))
    }
}
