import LibPQ
import Testing

@testable import rastro

@Suite("Exit status")
struct FailureTests {
    private static let cases: [(error: PostgresError, status: Int32)] = [
        (PostgresError(code: .server, sqlState: .insufficientPrivilege), 1), (PostgresError(code: .server), 1),
        (PostgresError(code: .server, sqlState: .undefinedTable), 1), (PostgresError(code: .decoding), 1),
        (PostgresError(code: .invalidConfiguration), 2), (PostgresError(code: .connectFailed), 3),
        (PostgresError(code: .connectionLost), 3), (PostgresError(code: .commitUnknown), 3),
        (PostgresError(code: .poolTimeout), 3), (PostgresError(code: .server, sqlState: .tooManyConnections), 3),
        (PostgresError(code: .server, sqlState: .adminShutdown), 3),
        (PostgresError(code: .server, sqlState: "08006"), 3),
    ]

    @Test("1 for what the database refuses, 2 for a bad address, 3 only when it cannot be reached", arguments: cases)
    func status(error: PostgresError, expected: Int32) throws {
        #expect(try #require(Failure(error)).status.rawValue == expected)
    }

    @Test("a refusal says so, with the database's words")
    func message() throws {
        let error = PostgresError(
            code: .server,
            sqlState: .insufficientPrivilege,
            message: "permission denied for table t"
        )
        let message = try #require(Failure(error)).message
        #expect(message == "the database refused the statement (SQLSTATE 42501): permission denied for table t")
    }
}
