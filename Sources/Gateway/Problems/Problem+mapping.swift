package import Catalog
import EventLog
import HTTPTypes
import Hummingbird
import LibPQ
package import Logging

/// The one place that turns errors into answers.
extension Problem {
    /// What an error means to the client; what is nobody's business but the operator's goes into the log.
    package init(mapping error: any Error, logger: Logger) {
        switch error {
        case let problem as Problem: self = problem
        case let error as CommitError: self.init(error)
        case let error as FieldFaults: self.init(error)
        case let error as JSONError: self.init(.malformedJSON, error.message)
        case let error as PostgresError:
            logger.warning("the database failed a request", metadata: ["error": "\(String(reflecting: error))"])
            self.init(error)
        case is CancellationError: self.init(.unavailable, "the server is shutting down; nothing was done")
        case let error as any HTTPResponseError: self.init(status: error.status)
        default:
            logger.error("a request failed", metadata: ["error": "\(String(reflecting: error))"])
            self.init(.internal, "the server failed; its log has the detail")
        }
    }

    private init(_ error: CommitError) {
        switch error {
        case .overloaded: self.init(.overloaded, "too many requests wait; nothing was done")
        case .unavailable: self.init(.unavailable, "the database cannot be reached; nothing was done")
        case .shuttingDown: self.init(.unavailable, "the server is shutting down; nothing was done")
        case .outcomeUnknown:
            self.init(.outcomeUnknown, "the connection to the database broke around the commit: it may have been done")
        case .keyRevoked: self = .unauthenticated("the API key is not valid")
        case .programTooOld: self.init(.programTooOld, "the log asks for a newer version of this program")
        case .refused: self.init(.internal, "the server failed; its log has the detail; nothing was done")
        }
    }

    private init(_ faults: FieldFaults) {
        let count = faults.faults.count
        self.init(
            .invalidFields,
            count == 1 ? "one field is wrong" : "\(count) fields are wrong",
            faults: faults.faults
        )
    }

    private init(_ error: PostgresError) {
        switch error.code {
        case .connectFailed, .connectionLost, .commitUnknown, .cancelled, .shutdown, .protocolViolation:
            self.init(.unavailable, "the database cannot be reached; nothing was done")
        case .poolTimeout, .poolQueueFull: self.init(.overloaded, "too many requests wait for the database")
        default: self.init(.internal, "the server failed; its log has the detail")
        }
    }

    /// What the HTTP library throws by itself.
    private init(status: HTTPResponse.Status) {
        switch status {
        case .notFound: self.init(.noSuchPath, "there is nothing at this path")
        case .contentTooLarge: self.init(.bodyTooLarge, "the body is too large")
        case .badRequest: self.init(.malformedBody, "the request could not be read")
        default: self.init(.internal, "the server failed")
        }
    }
}

extension Problem {
    /// - Parameter detail: must not tell whether a key exists.
    static func unauthenticated(_ detail: String) -> Problem {
        Problem(.unauthenticated, detail, headers: [.wwwAuthenticate: #"Bearer realm="rastro""#])
    }

    /// A command that was refused under the log's lock.
    package init(_ rejection: Rejection, position: Int64?) {
        switch rejection {
        case .notFound: self = Problem(.productNotFound, rejection.description).recordedAsNotFound(at: position)
        case .gone: self = Problem(.productGone, rejection.description).recordedAsNotFound(at: position)
        case .preconditionFailed:
            self = Problem(.preconditionFailed, "If-Match names no current version of the product")
                .at(position: position)
        case .codeTaken: self = Problem(.codeTaken, rejection.description).at(position: position)
        case .idTaken: self = Problem(.idTaken, rejection.description).at(position: position)
        case .idUsed: self = Problem(.idUsed, rejection.description).at(position: position)
        case .invalid(let faults): self = Problem(FieldFaults(faults)).at(position: position)
        }
    }
}
