import ArgumentParser
import EmbeddedPostgres
import EventLog
import LibPQ
import NIOCore

/// An end of a command that scripts can tell apart.
struct Failure: Error {
    enum Status: Int32 {
        /// The thing checked is wrong, or what was asked for is refused: drift, a bad proof, a row that is no product.
        case wrong = 1
        case usage = 2
        /// Cannot reach what it needs.
        case unreachable = 3
    }

    let status: Status
    let message: String

    init(_ status: Status, _ message: String) {
        self.status = status
        self.message = message
    }

    /// What an error from the modules below means to whoever ran the command; nil for the argument parser's own.
    init?(_ error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let failure as ProjectionRebuild.Failure: self.init(.usage, failure.description)
        case let failure as Migrator.Failure: self.init(.wrong, failure.description)
        case let failure as EmbeddedPostgresError: self.init(.unreachable, failure.description)
        case let failure as PrepareFailures: self.init(.wrong, "the schema does not fit this program: \(failure)")
        case let failure as PostgresError: self.init(database: failure)
        case let failure as CommitError: self.init(commit: failure)
        case let failure as IOError: self.init(.unreachable, failure.description)
        default: return nil
        }
    }

    /// Only what a retry may mend is unreachable; a statement that the database refuses is wrong however often it is sent.
    init(database error: PostgresError) {
        let detail = error.serverMessage ?? error.message
        let message = detail.isEmpty ? error.description : "\(error.description): \(detail)"
        switch error.code {
        case .invalidConfiguration: self.init(.usage, message)
        case .server:
            let isAway =
                SQLState.Class.connectionException ~= error.sqlState || error.sqlState == .tooManyConnections
                || [.adminShutdown, .crashShutdown, .cannotConnectNow].contains(error.sqlState)
            self.init(isAway ? .unreachable : .wrong, message)
        case .transactionAborted, .decoding, .invalidRequest: self.init(.wrong, message)
        case .connectFailed, .connectionLost, .commitUnknown, .protocolViolation, .cancelled, .poolTimeout,
            .poolQueueFull, .shutdown:
            self.init(.unreachable, message)
        }
    }

    private init(commit failure: CommitError) {
        switch failure {
        case .overloaded, .unavailable, .shuttingDown:
            self.init(.unreachable, "the log cannot be reached; nothing was done")
        case .outcomeUnknown:
            self.init(.unreachable, "the database went away around the commit: look whether it was done")
        case .keyRevoked: self.init(.wrong, "the key was revoked; nothing was done")
        case .programTooOld: self.init(.wrong, "the log asks for a newer rastro; nothing was done")
        case .refused(let state): self.init(.wrong, "the database refused it (SQLSTATE \(state)); nothing was done")
        }
    }
}
