internal import CLibPQ

/// How a transaction begins.
package enum TransactionMode: String, Sendable {
    /// READ COMMITTED: each statement sees what was committed before it.
    case readWrite = "BEGIN"
    case readOnly = "BEGIN READ ONLY"
    /// One snapshot for all statements.
    case readOnlySnapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
}

extension Session {
    /// Runs `body` in a transaction: COMMIT after it returns, ROLLBACK when it throws. Not to be nested.
    ///
    /// Throws what `body` throws; `.commitUnknown` when the COMMIT's outcome is not known; `.transactionAborted` when
    /// `body` swallowed an error that had failed the transaction.
    package func transaction<T>(_ mode: TransactionMode = .readWrite, _ body: () throws -> T) throws -> T {
        guard transactionStatus == .idle || !isUsable else {
            throw PostgresError(.invalidRequest, "transactions do not nest")
        }
        try execute(mode.rawValue)
        let value: T
        do {
            value = try body()
        } catch {
            rollback()
            throw error
        }
        try commit()
        return value
    }

    /// Opens a transaction that `commit()` or `rollback()` ends.
    package func begin(_ mode: TransactionMode = .readWrite) throws(PostgresError) { try execute(mode.rawValue) }

    /// Commits. Never cancelled: `cancelHandle.cancel()` does nothing meanwhile, and if it was called before, this
    /// throws `.cancelled` and commits nothing.
    ///
    /// Throws `.commitUnknown` when the connection fails, or when the server warns (a cancelled wait for a synchronous
    /// standby answers success with a mere warning); `.transactionAborted` when the server rolled back instead;
    /// `.server` when a deferred constraint refused the transaction, which is then rolled back.
    package func commit() throws(PostgresError) {
        let connection = try live()
        try cancelHandle.protect()
        defer { cancelHandle.unprotect() }
        notices.reset()
        do throws(PostgresError) {
            guard PQsendQuery(connection, "COMMIT") == 1 else { throw lost(connection) }
            try flush(connection)
            try checkCommitted(finish(connection, "COMMIT"))
        } catch {
            guard error.code == .connectionLost || error.code == .protocolViolation else { throw error }
            throw error.recoded(.commitUnknown)
        }
    }

    /// Rolls back an open transaction, if any. If that fails the session is of no further use, and the server rolls
    /// back by itself.
    package func rollback() {
        guard transactionStatus != .idle else { return }
        guard isUsable else {
            markBroken()
            return
        }
        do { try execute("ROLLBACK") } catch { markBroken() }
    }

    /// Runs `body` so that `cancelHandle.cancel()` does nothing meanwhile: for a statement that commits by itself.
    package func withoutCancellation<T>(_ body: () throws -> T) throws -> T {
        try cancelHandle.protect()
        defer { cancelHandle.unprotect() }
        return try body()
    }

    /// Whether a COMMIT's positive answer means what it says.
    func checkCommitted(_ rows: Rows) throws(PostgresError) {
        if notices.sawWarning || notices.sawUnreplicatedCommit {
            markBroken()
            throw PostgresError(.commitUnknown, "the server warned during COMMIT")
        }
        let tag = String(cString: PQcmdStatus(rows.result.pointer))
        guard tag == "COMMIT" else { throw PostgresError(.transactionAborted, "COMMIT was answered with \(tag)") }
    }
}
