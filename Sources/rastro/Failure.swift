import ArgumentParser
import EmbeddedPostgres
import EventLog
import LibPQ

/// An end of a command that scripts can tell apart.
struct Failure: Error {
    enum Status: Int32 {
        /// The thing checked is wrong: drift, a bad proof.
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
        case let failure as Migrator.Failure: self.init(.wrong, failure.description)
        case let failure as EmbeddedPostgresError: self.init(.unreachable, failure.description)
        case let failure as PrepareFailures: self.init(.wrong, "the schema does not fit this program: \(failure)")
        case let failure as PostgresError:
            let detail = failure.serverMessage ?? failure.message
            self.init(.unreachable, detail.isEmpty ? failure.description : "\(failure.description): \(detail)")
        case let failure as CommitError: self.init(commit: failure)
        default: return nil
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
