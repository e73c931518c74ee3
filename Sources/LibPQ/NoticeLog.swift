internal import CLibPQ
internal import Logging

/// What the server said unasked on one session's connection.
final class NoticeLog {
    /// A COMMIT's wait for a synchronous standby was cancelled: it is committed here, perhaps not there.
    private(set) var sawUnreplicatedCommit = false
    /// A warning of the classes that a doubtful COMMIT raises.
    private(set) var sawWarning = false
    /// The server ended the session while it was idle.
    private(set) var sawFatal = false

    private let logger: Logger?

    init(logger: Logger?) { self.logger = logger }

    /// Forgets the warnings, before a statement whose warnings matter.
    func reset() {
        sawUnreplicatedCommit = false
        sawWarning = false
    }

    /// Makes libpq report notices here. The log must outlive the connection.
    func attach(to connection: OpaquePointer) {
        PQsetNoticeReceiver(
            connection,
            { argument, result in
                guard let argument, let result else { return }
                Unmanaged<NoticeLog>.fromOpaque(argument).takeUnretainedValue().receive(result)
            },
            Unmanaged.passUnretained(self).toOpaque()
        )
    }

    private func receive(_ result: OpaquePointer) {
        let report = PostgresError.ServerReport(result)
        switch report.severity {
        case "FATAL", "PANIC": sawFatal = true
        case "WARNING":
            if report.sqlState == .warning || report.sqlState == .adminShutdown { sawWarning = true }
        default: break
        }
        // The name of the C function that gives up the wait; unlike the message it is not translated.
        if report.sourceFunction == "SyncRepWaitForLSN" { sawUnreplicatedCommit = true }
        logger?.debug(
            "notice from the database",
            metadata: [
                "severity": "\(report.severity ?? "")", "sqlstate": "\(report.sqlState?.code ?? "")",
                "message": "\(report.message ?? "")",
            ]
        )
    }
}

extension PostgresError.ServerReport {
    /// The fields of an error or notice.
    init(_ result: OpaquePointer) {
        func field(_ code: Unicode.Scalar) -> String? {
            PQresultErrorField(result, Int32(truncatingIfNeeded: code.value)).map { String(cString: $0) }
        }
        severity = field("V")
        sqlState = field("C").map { SQLState($0) }
        message = field("M")
        detail = field("D")
        hint = field("H")
        constraint = field("n")
        context = field("W")
        sourceFunction = field("R")
    }
}
