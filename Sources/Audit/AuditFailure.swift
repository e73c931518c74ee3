/// Why a query has no answer.
package struct AuditFailure: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// The question itself is wrong, as a time to come is; nothing was recorded.
        case invalid
        /// The product did not exist yet.
        case notFoundThen
        case noSuchEvent
    }

    package let code: Code
    /// Safe to show.
    package let description: String
    /// The query's own AUDIT_QUERIED event, when it was recorded.
    package let queryPosition: Int64?

    init(_ code: Code, _ description: String, at queryPosition: Int64? = nil) {
        self.code = code
        self.description = description
        self.queryPosition = queryPosition
    }
}
