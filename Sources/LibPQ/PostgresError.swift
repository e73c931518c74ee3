/// What went wrong with the database.
///
/// `description` is safe to show anyone: it holds the code and the SQLSTATE, never data, SQL or addresses.
/// `debugDescription` holds everything and belongs into the log.
package struct PostgresError: Error, Sendable {
    package enum Code: Sendable, Hashable {
        /// The connection string or an option cannot be understood.
        case invalidConfiguration
        /// No connection could be made; nothing was sent.
        case connectFailed
        /// The connection broke. Whether a statement outside an explicit transaction took effect is unknown.
        case connectionLost
        /// A COMMIT was sent and its outcome is not known: the connection broke, or the server warned that it gave up
        /// waiting for a synchronous standby.
        case commitUnknown
        /// COMMIT was answered with ROLLBACK, because a statement of the transaction had failed.
        case transactionAborted
        /// The server refused the statement: see `sqlState`.
        case server
        /// The server answered something that the protocol does not allow here, or went silent past the limit.
        case protocolViolation
        /// A value is not of the type that was asked for, is NULL, or the column does not exist.
        case decoding
        /// The statement was cancelled from here; the session is to be thrown away.
        case cancelled
        /// The caller misused the client (a statement name with two texts, a busy connection …).
        case invalidRequest
        /// No connection of the pool became free within the wait limit.
        case poolTimeout
        /// Too many callers wait for a connection of the pool already.
        case poolQueueFull
        /// The pool or connection is shut down.
        case shutdown
    }

    private final class Storage: Sendable {
        let code: Code
        let message: String
        let server: ServerReport?
        let statementName: String?
        let statementIndex: Int?

        init(code: Code, message: String, server: ServerReport?, statementName: String?, statementIndex: Int?) {
            self.code = code
            self.message = message
            self.server = server
            self.statementName = statementName
            self.statementIndex = statementIndex
        }
    }

    /// The fields of an ErrorResponse that we keep.
    struct ServerReport: Sendable {
        var severity: String?
        var sqlState: SQLState?
        var message: String?
        var detail: String?
        var hint: String?
        var constraint: String?
        var context: String?
        var sourceFunction: String?
    }

    // Behind a reference, so that the error is one word wide on the hot path of functions that may throw it.
    private let storage: Storage

    init(
        _ code: Code,
        _ message: String = "",
        server: ServerReport? = nil,
        statementName: String? = nil,
        statementIndex: Int? = nil
    ) {
        storage = Storage(
            code: code,
            message: message,
            server: server,
            statementName: statementName,
            statementIndex: statementIndex
        )
    }

    /// An error as a session would throw it, for tests of those who handle it.
    package init(code: Code, sqlState: SQLState? = nil, message: String = "") {
        self.init(code, message, server: sqlState.map { ServerReport(sqlState: $0, message: message) })
    }

    package var code: Code { storage.code }
    package var sqlState: SQLState? { storage.server?.sqlState }
    package var serverMessage: String? { storage.server?.message }
    package var detail: String? { storage.server?.detail }
    package var hint: String? { storage.server?.hint }
    package var constraint: String? { storage.server?.constraint }
    /// What the client has to say about it, for the log.
    package var message: String { storage.message }
    /// The name of the statement that failed.
    package var statementName: String? { storage.statementName }
    /// The place, from 0, of the failed statement in its pipeline.
    package var statementIndex: Int? { storage.statementIndex }

    /// Whether the session that threw this is of no further use.
    package var endsSession: Bool {
        switch code {
        case .connectFailed, .connectionLost, .commitUnknown, .protocolViolation, .cancelled, .shutdown: true
        default: false
        }
    }

    var report: ServerReport? { storage.server }

    /// The same report under another code.
    func recoded(_ code: Code, _ message: String? = nil) -> PostgresError {
        PostgresError(
            code,
            message ?? storage.message,
            server: storage.server,
            statementName: storage.statementName,
            statementIndex: storage.statementIndex
        )
    }

    /// The same report with the statement's name and place added.
    func located(_ name: String?, index: Int? = nil) -> PostgresError {
        PostgresError(code, storage.message, server: storage.server, statementName: name, statementIndex: index)
    }
}

extension PostgresError: CustomStringConvertible, CustomDebugStringConvertible {
    package var description: String {
        let state = sqlState.map { " (SQLSTATE \($0))" } ?? ""
        return code.explanation + state
    }

    package var debugDescription: String {
        var parts = ["\(code.explanation)"]
        func add(_ label: String, _ value: String?) {
            if let value, !value.isEmpty { parts.append("\(label): \(value)") }
        }
        add("SQLSTATE", sqlState?.code)
        add("message", storage.message)
        add("server", serverMessage)
        add("detail", detail)
        add("hint", hint)
        add("constraint", constraint)
        add("context", storage.server?.context)
        add("statement", statementName)
        add("index", statementIndex.map(String.init))
        return parts.joined(separator: "; ")
    }
}

extension PostgresError.Code {
    var explanation: String {
        switch self {
        case .invalidConfiguration: "the database configuration is not valid"
        case .connectFailed: "no connection to the database could be made"
        case .connectionLost: "the connection to the database was lost"
        case .commitUnknown: "it is not known whether the transaction was committed"
        case .transactionAborted: "the transaction had failed and was rolled back"
        case .server: "the database refused the statement"
        case .protocolViolation: "the database gave an unexpected answer"
        case .decoding: "a value from the database was not of the expected type"
        case .cancelled: "the statement was cancelled"
        case .invalidRequest: "the database client was misused"
        case .poolTimeout: "no database connection became free in time"
        case .poolQueueFull: "too many requests wait for a database connection"
        case .shutdown: "the database client is shut down"
        }
    }
}

/// All statements that the server refused to prepare.
package struct PrepareFailures: Error, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    package struct Failure: Sendable {
        package let statement: Statement
        package let error: PostgresError
    }

    package let failures: [Failure]

    package var description: String {
        "the database refused to prepare: " + failures.map(\.statement.name).joined(separator: ", ")
    }

    package var debugDescription: String {
        failures.map { "\($0.statement.name): \($0.error.debugDescription)" }.joined(separator: "\n")
    }
}
