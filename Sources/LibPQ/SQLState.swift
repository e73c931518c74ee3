/// A five-character SQLSTATE code (PostgreSQL documentation, appendix A).
///
/// `SQLState.Class("08") ~= state` matches all members of a class.
package struct SQLState: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    package let code: String

    package init(_ code: String) { self.code = code }
    package init(stringLiteral code: String) { self.code = code }

    package var description: String { code }

    /// The first two characters of a code.
    package struct Class: Hashable, Sendable, ExpressibleByStringLiteral {
        package let prefix: String

        package init(_ prefix: String) { self.prefix = prefix }
        package init(stringLiteral prefix: String) { self.prefix = prefix }

        package static func ~= (pattern: Self, state: SQLState) -> Bool { state.code.hasPrefix(pattern.prefix) }
        package static func ~= (pattern: Self, state: SQLState?) -> Bool { state.map { pattern ~= $0 } ?? false }

        package static let connectionException: Self = "08"
        package static let dataException: Self = "22"
        package static let integrityConstraintViolation: Self = "23"
        package static let transactionRollback: Self = "40"
        package static let insufficientResources: Self = "53"
        package static let operatorIntervention: Self = "57"
    }
}

extension SQLState {
    package static let warning: Self = "01000"
    package static let featureNotSupported: Self = "0A000"
    package static let numericValueOutOfRange: Self = "22003"
    package static let characterNotInRepertoire: Self = "22021"
    package static let notNullViolation: Self = "23502"
    package static let foreignKeyViolation: Self = "23503"
    package static let uniqueViolation: Self = "23505"
    package static let checkViolation: Self = "23514"
    package static let readOnlySQLTransaction: Self = "25006"
    package static let inFailedSQLTransaction: Self = "25P02"
    package static let idleInTransactionSessionTimeout: Self = "25P03"
    package static let invalidSQLStatementName: Self = "26000"
    package static let invalidPassword: Self = "28P01"
    package static let invalidCatalogName: Self = "3D000"
    package static let serializationFailure: Self = "40001"
    package static let deadlockDetected: Self = "40P01"
    package static let insufficientPrivilege: Self = "42501"
    package static let syntaxError: Self = "42601"
    package static let undefinedColumn: Self = "42703"
    package static let undefinedFunction: Self = "42883"
    package static let undefinedTable: Self = "42P01"
    package static let diskFull: Self = "53100"
    package static let tooManyConnections: Self = "53300"
    package static let objectNotInPrerequisiteState: Self = "55000"
    package static let lockNotAvailable: Self = "55P03"
    package static let queryCanceled: Self = "57014"
    package static let adminShutdown: Self = "57P01"
    package static let crashShutdown: Self = "57P02"
    package static let cannotConnectNow: Self = "57P03"
}
