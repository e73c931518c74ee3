package import Catalog
package import HTTPTypes

/// An error answer (RFC 9457): thrown by whoever refuses a request, written by one place.
package struct Problem: Error, Sendable {
    package let code: ProblemCode
    /// What went wrong this time; safe to show.
    package let detail: String
    /// What is wrong with the body's fields.
    package let faults: [FieldFault]
    /// Fields of the answer that belong to the problem, such as `Allow`.
    package var headers: HTTPFields
    /// Whether the log has a NOT_FOUND event for it, which counts against the caller.
    package private(set) var isRecordedAsNotFound = false

    package init(_ code: ProblemCode, _ detail: String, faults: [FieldFault] = [], headers: HTTPFields = [:]) {
        self.code = code
        self.detail = detail
        self.faults = faults
        self.headers = headers
        if let seconds = code.retryAfterSeconds, !headers.contains(.retryAfter) {
            self.headers[.retryAfter] = String(seconds)
        }
    }

    /// The same problem, for which the log has a NOT_FOUND event at `position`; nil: it has none.
    package func recordedAsNotFound(at position: Int64?) -> Problem {
        var problem = at(position: position)
        problem.isRecordedAsNotFound = position != nil
        return problem
    }

    /// The same problem naming the last event that the request made.
    package func at(position: Int64?) -> Problem {
        guard let position else { return self }
        var problem = self
        problem.headers[.eventPosition] = String(position)
        return problem
    }
}
