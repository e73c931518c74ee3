import EmbeddedPostgres
import LibPQ
import Logging
import TestSupport

/// One database for all suites of this module.
enum TestDatabase {
    private static let address = Task { try await TestCluster.shared.createDatabase() }

    static func configuration(_ options: [(name: String, value: String)] = []) async throws -> ConnectionConfiguration {
        ConnectionConfiguration(
            url: try await address.value.superuserConnectionString,
            applicationName: "libpq-tests",
            options: options
        )
    }

    /// Runs a test's body with a session, on a thread of its own.
    static func withSession<T: Sendable>(_ body: @escaping @Sendable (Session) throws -> T) async throws -> T {
        let connection = Connection(configuration: try await configuration(), threadName: "test", logger: logger)
        do {
            let value = try await connection.run(body)
            await connection.shutdown()
            return value
        } catch {
            await connection.shutdown()
            throw error
        }
    }

    /// Discards everything.
    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

/// The `PostgresError` that `body` throws, nil if none.
func failure(of body: () throws -> Void) throws -> PostgresError? {
    do {
        try body()
        return nil
    } catch let error as PostgresError {
        return error
    }
}

/// The `PostgresError` that `body` throws, nil if none.
func asyncFailure(of body: () async throws -> Void) async throws -> PostgresError? {
    do {
        try await body()
        return nil
    } catch let error as PostgresError {
        return error
    }
}
