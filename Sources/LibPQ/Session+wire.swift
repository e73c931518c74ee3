internal import CLibPQ
internal import Glibc

// The connection is in non-blocking mode throughout: libpq never waits by itself, so that a large batch cannot
// deadlock with a server that is busy sending results, and a wait can have a limit.

extension Session {
    /// Waits for events on the connection's socket (-1: without limit). Returns the events, 0 after the time.
    func wait(for events: Int32, on connection: OpaquePointer, milliseconds: Int32) -> Int32 {
        var descriptor = pollfd(fd: PQsocket(connection), events: Int16(truncatingIfNeeded: events), revents: 0)
        guard descriptor.fd >= 0 else { return POLLERR }
        while true {
            let count = poll(&descriptor, 1, milliseconds)
            if count > 0 { return Int32(descriptor.revents) }
            if count == 0 { return 0 }
            guard errno == EINTR else { return POLLERR }
        }
    }

    /// Sends all that libpq holds, reading meanwhile.
    func flush(_ connection: OpaquePointer) throws(PostgresError) {
        while true {
            switch PQflush(connection) {
            case 0: return
            case 1:
                let events = wait(for: POLLIN | POLLOUT, on: connection, milliseconds: responseLimit)
                if events == 0 { throw silence() }
                if events & ~POLLOUT != 0, PQconsumeInput(connection) == 0 { throw lost(connection) }
            default: throw lost(connection)
            }
        }
    }

    /// The next result, nil at the end of a statement's results. A lost connection gives an error result.
    ///
    /// On an encrypted connection what was decrypted and not yet taken waits in the library below libpq, where `poll`
    /// does not see it: so that is asked again after short waits, until the limit is reached.
    func receive(_ connection: OpaquePointer) throws(PostgresError) -> OpaquePointer? {
        var waited: Int32 = 0
        while PQisBusy(connection) != 0 {
            let step = isEncrypted ? Self.encryptedStep : responseLimit
            if wait(for: POLLIN, on: connection, milliseconds: step) == 0 {
                waited += step
                guard isEncrypted, responseLimit < 0 || waited < responseLimit else { throw silence() }
            } else {
                waited = 0
            }
            if PQconsumeInput(connection) == 0 { break }
        }
        return PQgetResult(connection)
    }

    /// Milliseconds between two looks at an encrypted connection.
    private static let encryptedStep: Int32 = 20

    /// Reads one statement's results to their end and returns the last one.
    func finish(_ connection: OpaquePointer, _ statementName: String? = nil) throws(PostgresError) -> Rows {
        var rows: Rows?
        var failure: PostgresError?
        while let result = try receive(connection) {
            switch PQresultStatus(result) {
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: rows = Rows(result: ResultStorage(result))
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                PQclear(result)
                markBroken()
                throw PostgresError(.invalidRequest, "COPY needs copyIn or copyOut", statementName: statementName)
            default:
                failure = failure ?? error(result, connection, statementName)
                PQclear(result)
            }
        }
        if let failure { throw failure }
        if notices.sawUnreplicatedCommit { throw PostgresError(.commitUnknown, statementName: statementName) }
        guard let rows else { throw lost(connection) }
        return rows
    }
}

// MARK: - Errors

extension Session {
    /// The error that a result holds, with the code that it has in this session's state.
    func error(
        _ result: OpaquePointer,
        _ connection: OpaquePointer,
        _ statementName: String? = nil,
        index: Int? = nil
    ) -> PostgresError {
        let report = PostgresError.ServerReport(result)
        var code = PostgresError.Code.server
        if PQstatus(connection) != CONNECTION_OK || report.severity == "FATAL" || report.severity == "PANIC" {
            code = .connectionLost
            markBroken()
        } else if report.sqlState == .queryCanceled, cancelHandle.isCancelled {
            code = .cancelled
        } else if report.sqlState == nil {
            code = .protocolViolation
            markBroken()
        } else if report.sqlState == .featureNotSupported || report.sqlState == .invalidSQLStatementName {
            // The plan of a prepared statement outlived its table, or somebody discarded our statements.
            prepared.removeAll()
            markBroken()
        }
        let message = report.sqlState == nil ? String(cString: PQresultErrorMessage(result)).trimmingNewlines() : ""
        return PostgresError(code, message, server: report, statementName: statementName, statementIndex: index)
    }

    /// The connection failed outside a result.
    func lost(_ connection: OpaquePointer) -> PostgresError {
        markBroken()
        return PostgresError(.connectionLost, String(cString: PQerrorMessage(connection)).trimmingNewlines())
    }

    func silence() -> PostgresError {
        markBroken()
        return PostgresError(.connectionLost, "the server did not answer within the response limit")
    }
}
