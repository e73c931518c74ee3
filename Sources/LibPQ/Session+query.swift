internal import CLibPQ

extension Session {
    /// Runs SQL by the simple protocol: several statements may stand in it, and without BEGIN they are one transaction.
    /// Results are dropped. Not for COMMIT (use `commit()`) nor COPY.
    package func execute(_ sql: String) throws(PostgresError) {
        let connection = try live()
        notices.reset()
        guard PQsendQuery(connection, sql) == 1 else { throw lost(connection) }
        try flush(connection)
        _ = try finish(connection)
    }

    /// Runs a statement, preparing it on its first use in this session.
    ///
    /// Throws `.invalidRequest` when the parameters' types are not those of the statement; the server then saw nothing.
    package func query(
        _ statement: Statement,
        _ parameters: Parameters = Parameters()
    ) throws(PostgresError) -> Rows {
        let connection = try live()
        let types = try types(of: statement)
        try check(parameters, against: types, of: statement)
        notices.reset()
        guard send(statement, parameters, on: connection) else { throw lost(connection) }
        try flush(connection)
        return try finish(connection, statement.name)
    }

    /// Runs a statement and hands over its rows one at a time, so that the whole is never in memory.
    ///
    /// If `body` throws, the statement is cancelled and the rest dropped; a surrounding transaction has then failed.
    package func stream(
        _ statement: Statement,
        _ parameters: Parameters = Parameters(),
        _ body: (Row) throws -> Void
    ) throws {
        let connection = try live()
        let types = try types(of: statement)
        try check(parameters, against: types, of: statement)
        notices.reset()
        guard send(statement, parameters, on: connection) else { throw lost(connection) }
        guard PQsetSingleRowMode(connection) == 1 else { throw lost(connection) }
        try flush(connection)
        var failure: PostgresError?
        while let result = try receive(connection) {
            switch PQresultStatus(result) {
            case PGRES_SINGLE_TUPLE:
                do {
                    try body(Row(result: ResultStorage(result), index: 0))
                } catch {
                    try stop(connection)
                    throw error
                }
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK: PQclear(result)
            default:
                failure = failure ?? error(result, connection, statement.name)
                PQclear(result)
            }
        }
        if let failure { throw failure }
    }

    /// Cancels the running statement and drops what still comes of it.
    func stop(_ connection: OpaquePointer) throws(PostgresError) {
        cancelHandle.sendRequest()
        while let result = try receive(connection) { PQclear(result) }
        guard PQstatus(connection) == CONNECTION_OK else { throw lost(connection) }
    }
}

// MARK: - Preparing

extension Session {
    /// Prepares all statements in one round trip, outside a transaction.
    ///
    /// Throws `PrepareFailures` with every statement that the server refused (the others are prepared), and
    /// `PostgresError` if the connection failed.
    package func prepare(_ statements: [Statement]) throws {
        let connection = try live()
        var unknown: [Statement] = []
        for statement in statements where try knownTypes(statement) == nil {
            if !unknown.contains(statement) { unknown.append(statement) }
        }
        guard !unknown.isEmpty else { return }
        try enterPipeline(connection)
        for statement in unknown {
            guard sendPrepare(statement, [], on: connection), PQpipelineSync(connection) == 1 else {
                throw lost(connection)
            }
        }
        try flush(connection)
        var failures: [PrepareFailures.Failure] = []
        for statement in unknown {
            if let error = try receivePrepared(statement, connection, index: nil) {
                failures.append(PrepareFailures.Failure(statement: statement, error: error))
            }
            try receiveSync(connection)
        }
        try exitPipeline(connection)
        if !failures.isEmpty { throw PrepareFailures(failures: failures) }
    }

    /// The types of the statement's parameters if it is prepared.
    func knownTypes(_ statement: Statement) throws(PostgresError) -> [UInt32]? {
        guard let known = prepared[statement.name] else { return nil }
        guard known.text == statement.text else {
            throw PostgresError(
                .invalidRequest,
                "two statements bear one name",
                statementName: statement.name
            )
        }
        return known.parameterTypes
    }

    /// The types of the statement's parameters; prepares it if need be.
    private func types(of statement: Statement) throws(PostgresError) -> [UInt32] {
        if let types = try knownTypes(statement) { return types }
        let connection = try live()
        try enterPipeline(connection)
        guard sendPrepare(statement, [], on: connection), PQpipelineSync(connection) == 1 else {
            throw lost(connection)
        }
        try flush(connection)
        let failure = try receivePrepared(statement, connection, index: nil)
        try receiveSync(connection)
        try exitPipeline(connection)
        if let failure { throw failure }
        return prepared[statement.name]?.parameterTypes ?? []
    }

    /// Sends a request to prepare and one to describe.
    func sendPrepare(_ statement: Statement, _ types: [UInt32], on connection: OpaquePointer) -> Bool {
        let count = Int32(truncatingIfNeeded: types.count)
        return PQsendPrepare(connection, statement.name, statement.text, count, types) == 1
            && PQsendDescribePrepared(connection, statement.name) == 1
    }

    /// Reads the answers to `sendPrepare`. Returns the server's refusal, throws if the connection failed.
    func receivePrepared(
        _ statement: Statement,
        _ connection: OpaquePointer,
        index: Int?
    ) throws(PostgresError) -> PostgresError? {
        var failure: PostgresError?
        var types: [UInt32]?
        for part in 0..<2 {
            guard let result = try receive(connection) else { throw lost(connection) }
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK:
                if part == 1 { types = (0..<PQnparams(result)).map { PQparamtype(result, $0) } }
            case PGRES_PIPELINE_ABORTED: break
            default: failure = failure ?? error(result, connection, statement.name, index: index)
            }
            if let failure, failure.code != .server, failure.code != .cancelled { throw failure }
            _ = try receive(connection)
        }
        if let types { prepared[statement.name] = PreparedStatement(text: statement.text, parameterTypes: types) }
        return failure
    }
}

// MARK: - Sending

extension Session {
    func check(
        _ parameters: Parameters,
        against types: [UInt32],
        of statement: Statement
    ) throws(PostgresError) {
        guard parameters.entries.count == types.count else {
            throw PostgresError(
                .invalidRequest,
                "the statement takes \(types.count) parameters, \(parameters.entries.count) were given",
                statementName: statement.name
            )
        }
        for (index, entry) in parameters.entries.enumerated() {
            let declared = types[index]
            guard entry.oid == declared || TypeOID.accepts(declared, given: entry.oid) else {
                throw PostgresError(
                    .invalidRequest,
                    "parameter $\(index + 1) has the type with OID \(declared), not \(entry.oid)",
                    statementName: statement.name
                )
            }
            guard entry.length <= Parameters.maximumLength else {
                throw PostgresError(
                    .invalidRequest,
                    "parameter $\(index + 1) is longer than \(Parameters.maximumLength) bytes",
                    statementName: statement.name
                )
            }
        }
    }

    /// Hands a run of a prepared statement to libpq.
    func send(_ statement: Statement, _ parameters: Parameters, on connection: OpaquePointer) -> Bool {
        parameters.withPointers { count, values, lengths, formats in
            PQsendQueryPrepared(connection, statement.name, count, values, lengths, formats, 1) == 1
        }
    }
}

extension Parameters {
    /// PostgreSQL's own limit of a value, 1 GiB, with room for the message around it.
    static let maximumLength = (1 << 30) - (1 << 16)

    /// The arrays that libpq takes, made on the stack. An empty value gets an address, since none means NULL.
    func withPointers<T>(
        _ body: (
            Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?
        ) -> T
    ) -> T {
        let count = entries.count
        guard count > 0 else { return body(0, nil, nil, nil) }
        return buffer.withUnsafeBytes { bytes in
            withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: count) { values in
                withUnsafeTemporaryAllocation(of: Int32.self, capacity: 2 * count) { numbers in
                    let somewhere = UnsafeRawPointer(numbers.baseAddress)
                    for (index, entry) in entries.enumerated() {
                        let address = bytes.baseAddress.map { $0 + entry.offset } ?? somewhere
                        let value = entry.length < 0 ? nil : address?.assumingMemoryBound(to: CChar.self)
                        values.initializeElement(at: index, to: value)
                        numbers.initializeElement(at: index, to: Int32(truncatingIfNeeded: entry.length))
                        numbers.initializeElement(at: count + index, to: 1)
                    }
                    let lengths = UnsafePointer(numbers.baseAddress)
                    return body(
                        Int32(truncatingIfNeeded: count),
                        UnsafePointer(values.baseAddress),
                        lengths,
                        lengths.map { $0 + count }
                    )
                }
            }
        }
    }
}

extension TypeOID {
    /// Whether a parameter of type `declared` reads the binary form of `given` as it is meant.
    static func accepts(_ declared: UInt32, given: UInt32) -> Bool {
        switch given {
        case text, json: isText(declared)
        default: false
        }
    }
}
