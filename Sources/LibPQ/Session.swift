internal import CLibPQ
internal import Glibc
package import Logging

/// A connection to PostgreSQL with blocking calls, to be used by one thread at a time.
///
/// It is not Sendable: open it on the thread that uses it (`Connection` does). After an error whose `endsSession` is
/// true, or a cancellation, it answers every call with an error: close it and open another.
package final class Session {
    /// Stops the session's work from other threads.
    package let cancelHandle: CancelHandle
    /// The process id of the server process behind this session.
    package let backendProcessID: Int32

    let notices: NoticeLog
    let responseLimit: Int32
    let isEncrypted: Bool
    /// The statements that the server knows, by name.
    var prepared: [String: PreparedStatement] = [:]
    /// The COPY that is underway.
    var copyState = CopyState.none
    /// Bytes of COPY data handed to libpq since it was last flushed.
    var unflushedBytes = 0
    private var connection: OpaquePointer?
    private var isBroken = false

    /// What the server knows of a statement that it prepared.
    struct PreparedStatement {
        let text: String
        /// The parameters' types; nil while the server was not asked.
        var parameterTypes: [UInt32]?
    }

    enum CopyState {
        case none, out, `in`
    }

    private init(_ connection: OpaquePointer, _ configuration: ConnectionConfiguration, _ logger: Logger?) {
        self.connection = connection
        cancelHandle = CancelHandle(connection: connection)
        backendProcessID = PQbackendPID(connection)
        notices = NoticeLog(logger: logger)
        responseLimit = configuration.responseLimit?.pollTimeout ?? -1
        isEncrypted = PQsslInUse(connection) != 0 || PQgssEncInUse(connection) != 0
        notices.attach(to: connection)
    }

    deinit { close() }

    /// Connects and authenticates. Blocks at most `connectTimeout` for each host that the configuration names (name
    /// resolution aside). Throws `.invalidConfiguration` or `.connectFailed`.
    package static func open(
        _ configuration: ConnectionConfiguration,
        logger: Logger? = nil
    ) throws(PostgresError) -> Session {
        let keywords = try configuration.keywords()
        guard let connection = connect(keywords) else {
            throw PostgresError(.connectFailed, "out of memory")
        }
        guard PQstatus(connection) == CONNECTION_OK, PQsetnonblocking(connection, 1) == 0 else {
            let message = String(cString: PQerrorMessage(connection)).trimmingNewlines()
            PQfinish(connection)
            throw PostgresError(.connectFailed, message)
        }
        return Session(connection, configuration, logger)
    }

    private static func connect(_ keywords: [String: String]) -> OpaquePointer? {
        let names = keywords.keys.sorted()
        let copies = names.map { (strdup($0), strdup(keywords[$0] ?? "")) }
        defer {
            for (name, value) in copies {
                free(name)
                free(value)
            }
        }
        let end: [UnsafePointer<CChar>?] = [nil]
        return PQconnectdbParams(copies.map { UnsafePointer($0.0) } + end, copies.map { UnsafePointer($0.1) } + end, 0)
    }

    /// Ends the session; the server rolls back what is not committed. Harmless when closed already.
    package func close() {
        guard let connection else { return }
        cancelHandle.markClosed()
        PQfinish(connection)
        self.connection = nil
        prepared.removeAll()
    }
}

// MARK: - State

extension Session {
    /// Where the session stands with its transaction.
    package enum TransactionStatus: Sendable {
        case idle, active, inTransaction, failed, unknown
    }

    package var transactionStatus: TransactionStatus {
        guard let connection else { return .unknown }
        return switch PQtransactionStatus(connection) {
        case PQTRANS_IDLE: .idle
        case PQTRANS_ACTIVE: .active
        case PQTRANS_INTRANS: .inTransaction
        case PQTRANS_INERROR: .failed
        default: .unknown
        }
    }

    /// Whether the session can still be worked with, as far as is known without asking the server.
    package var isUsable: Bool {
        guard let connection, !isBroken, !notices.sawFatal, !cancelHandle.isCancelled else { return false }
        return PQstatus(connection) == CONNECTION_OK
    }

    /// Like `isUsable`, but reads what the server sent while the session was idle, so that a terminated session is
    /// noticed before it is used. Does not block.
    package func checkAlive() -> Bool {
        guard isUsable, let connection else { return false }
        for _ in 0..<8 {
            guard wait(for: POLLIN, on: connection, milliseconds: 0) != 0 else { break }
            guard PQconsumeInput(connection) == 1 else { return false }
            _ = PQisBusy(connection)
        }
        return isUsable
    }

    /// The server's version as libpq writes it: 150018 is 15.18.
    package var serverVersion: Int { connection.map { Int(PQserverVersion($0)) } ?? 0 }

    /// A setting that the server reports by itself, such as `in_hot_standby`.
    package func parameterStatus(_ name: String) -> String? {
        guard let connection, let value = PQparameterStatus(connection, name) else { return nil }
        return String(cString: value)
    }

    /// The connection, if it may be used; `.cancelled`, `.connectionLost` or `.shutdown` otherwise.
    func live() throws(PostgresError) -> OpaquePointer {
        guard let connection else { throw PostgresError(.shutdown, "the session is closed") }
        if cancelHandle.isCancelled { throw PostgresError(.cancelled) }
        guard !isBroken, !notices.sawFatal else { throw PostgresError(.connectionLost) }
        return connection
    }

    /// Gives the session up: its state and the server's may differ.
    func markBroken() { isBroken = true }
}

extension String {
    func trimmingNewlines() -> String {
        var text = self
        while text.last?.isNewline == true { text.removeLast() }
        return text
    }
}
