internal import CLibPQ

/// Statements that go to the server together; see `Session.pipeline`.
package struct Pipeline {
    enum Expectation {
        case prepared(Statement)
        case rows(String)
        case begin
        case commit
    }

    private let session: Session
    private let connection: OpaquePointer
    private(set) var expectations: [Expectation] = []
    /// Why the pipeline could not be filled; it is then never sent to its end.
    private(set) var failure: PostgresError?
    private(set) var begins = false
    private(set) var commits = false
    /// The number of statements added.
    package private(set) var count = 0

    init(session: Session, connection: OpaquePointer) {
        self.session = session
        self.connection = connection
    }

    /// Adds a statement. Its rows stand in the answer at the place of this call among all calls.
    package mutating func add(_ statement: Statement, _ parameters: Parameters = Parameters()) {
        guard failure == nil else { return }
        do throws(PostgresError) {
            try enqueue(statement, parameters)
            expectations.append(.rows(statement.name))
            count += 1
        } catch {
            failure = error.located(statement.name, index: count)
        }
    }

    /// Adds BEGIN, which opens a transaction. It has no place in the answer.
    package mutating func begin() {
        addControl(.begin, Self.beginStatement)
        begins = true
    }

    /// Adds COMMIT. It has no place in the answer. From here on the session cannot be cancelled until the answer came.
    package mutating func commit() {
        guard failure == nil else { return }
        if !commits {
            do throws(PostgresError) { try session.cancelHandle.protect() } catch {
                failure = error
                return
            }
            commits = true
        }
        addControl(.commit, Self.commitStatement)
    }

    private static let beginStatement = Statement(name: "rastro_begin", text: "BEGIN")
    private static let commitStatement = Statement(name: "rastro_commit", text: "COMMIT")

    private mutating func addControl(_ expectation: Expectation, _ statement: Statement) {
        guard failure == nil else { return }
        do throws(PostgresError) {
            try enqueue(statement, Parameters())
            expectations.append(expectation)
        } catch {
            failure = error
        }
    }

    private mutating func enqueue(_ statement: Statement, _ parameters: Parameters) throws(PostgresError) {
        if let types = try session.knownTypes(statement) {
            try session.check(parameters, against: types, of: statement)
        } else if !isPreparedHere(statement) {
            let types = parameters.entries.map(\.oid)
            guard session.sendPrepare(statement, types, on: connection) else { throw session.lost(connection) }
            expectations.append(.prepared(statement))
        }
        guard session.send(statement, parameters, on: connection) else { throw session.lost(connection) }
    }

    private func isPreparedHere(_ statement: Statement) -> Bool {
        expectations.contains { expectation in
            if case .prepared(statement) = expectation { true } else { false }
        }
    }
}
