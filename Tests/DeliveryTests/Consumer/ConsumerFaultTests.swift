import LibPQ
import Testing

@testable import Delivery

/// Who is to blame for a failure, and what is kept of it.
struct ConsumerFaultTests {
    private struct Other: Error { let user = "ana" }

    @Test(
        "what says that the database is away, overloaded or in the way of others blames no event",
        arguments: [
            PostgresError(code: .connectionLost), PostgresError(code: .commitUnknown),
            PostgresError(code: .poolTimeout),
            PostgresError(code: .shutdown), PostgresError(code: .connectFailed), PostgresError(code: .cancelled),
            PostgresError(code: .server, sqlState: .adminShutdown), PostgresError(code: .server, sqlState: .diskFull),
            PostgresError(code: .server, sqlState: .deadlockDetected),
            PostgresError(code: .server, sqlState: .lockNotAvailable),
            PostgresError(code: .server, sqlState: .readOnlySQLTransaction),
            PostgresError(code: .server, sqlState: .undefinedFunction),
            PostgresError(code: .server, sqlState: .undefinedTable),
            PostgresError(code: .server, sqlState: .insufficientPrivilege),
        ]
    )
    func database(error: PostgresError) { #expect(ConsumerFault(error) == .database) }

    @Test(
        "any other error is the events'",
        arguments: [
            SQLState.uniqueViolation, .numericValueOutOfRange, .queryCanceled,
        ]
    )
    func events(state: SQLState) {
        #expect(Self.reason(PostgresError(code: .server, sqlState: state))?.contains(state.code) == true)
    }

    /// Nil when the database is to blame.
    private static func reason(_ error: PostgresError) -> String? {
        guard case .events(let reason) = ConsumerFault(error) else { return nil }
        return reason
    }

    @Test func `the server's words, which may quote a user, are not kept; what Rastro's SQL raises is`() {
        let quoting = PostgresError(code: .server, sqlState: "22P02", message: #"invalid input syntax: "ana""#)
        #expect(Self.reason(quoting).map { !$0.contains("ana") && $0.contains("22P02") } == true)
        let raised = PostgresError(code: .server, sqlState: "RS042", message: "the price is in no currency")
        #expect(Self.reason(raised)?.contains("the price is in no currency") == true)
        #expect(ConsumerFault(Other()) == .events(reason: "Other"))
    }

    @Test func `a reason is kept up to a thousand characters, without the one that PostgreSQL refuses`() {
        let long = String(repeating: "é", count: 2_000)
        #expect(ConsumerFault(ConsumerError("a\0b" + long)) == .events(reason: "ab" + String(long.prefix(998))))
    }
}
