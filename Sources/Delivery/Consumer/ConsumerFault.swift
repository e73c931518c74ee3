import LibPQ

/// Whose fault it is that events could not be applied.
enum ConsumerFault: Equatable {
    /// The database as a whole: it is away, overloaded or shutting down, or others were in the way. No message is to blame.
    case database
    /// The events', or the consumer's; with what is kept of the error.
    case events(reason: String)

    init(_ error: any Error) {
        switch error {
        case let error as PostgresError:
            self = Self.isOfDatabase(error) ? .database : .events(reason: Self.text(of: error))
        case is CancellationError: self = .database
        case let error as ConsumerError: self = .events(reason: Self.kept(error.reason))
        // Whatever else it says may name a user.
        default: self = .events(reason: Self.kept("\(type(of: error))"))
        }
    }

    /// The most characters of an error that are kept.
    static let reasonLimit = 1_000

    private static func isOfDatabase(_ error: PostgresError) -> Bool {
        switch error.code {
        case .decoding, .invalidRequest, .invalidConfiguration, .transactionAborted: false
        case .connectFailed, .connectionLost, .commitUnknown, .protocolViolation, .cancelled, .poolTimeout,
            .poolQueueFull, .shutdown:
            true
        case .server:
            switch error.sqlState {
            // A statement that takes too long with one event alone would do so for ever.
            case SQLState.queryCanceled?: false
            case SQLState.lockNotAvailable?, SQLState.readOnlySQLTransaction?,
                SQLState.idleInTransactionSessionTimeout?:
                true
            case let state:
                SQLState.Class.connectionException ~= state || SQLState.Class.transactionRollback ~= state
                    || SQLState.Class.insufficientResources ~= state || SQLState.Class.operatorIntervention ~= state
                    || SQLState.Class.systemError ~= state
                    // A schema that does not fit, or a right that is missing, is no event's fault.
                    || SQLState.Class("42") ~= state
            }
        }
    }

    /// The server's own messages may quote values, a user's id among them; what SQL written for Rastro raises does not.
    private static func text(of error: PostgresError) -> String {
        var parts = [error.description]
        if SQLState.Class.rastro ~= error.sqlState || SQLState.Class.raised ~= error.sqlState {
            parts.append(error.serverMessage ?? "")
        }
        if let constraint = error.constraint { parts.append("constraint \(constraint)") }
        if let statement = error.statementName { parts.append("statement \(statement)") }
        return kept(parts.filter { !$0.isEmpty }.joined(separator: "; "))
    }

    /// As a column takes it: bounded, without U+0000.
    private static func kept(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter { $0 != "\0" }.prefix(reasonLimit)))
    }
}

/// Why a consumer cannot apply an event.
package struct ConsumerError: Error, Sendable {
    /// Is kept and shown to operators: it must not name a user.
    package let reason: String

    package init(_ reason: String) { self.reason = reason }
}

extension SQLState.Class {
    fileprivate static let rastro: Self = "RS"
    /// PL/pgSQL's RAISE without another state.
    fileprivate static let raised: Self = "P0"
    fileprivate static let systemError: Self = "58"
}
