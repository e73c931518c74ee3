internal import CLibPQ

extension Session {
    /// Sends several statements in one round trip and returns the rows of each, in order.
    ///
    /// There is one synchronisation point, at the end: outside a transaction the statements are one transaction, which
    /// commits if all succeed. With `begin()` and `commit()` in the pipeline, or in an open transaction, these rule.
    /// A statement after a failed one is not run. Throws the first failure with its `statementIndex`; the session stays
    /// usable, and a transaction that this pipeline began is rolled back (one begun before it has failed, and is the
    /// caller's to roll back). When the connection fails after `commit()` was added: `.commitUnknown`.
    /// Batches may be of any size that fits in memory: while sending, results are read.
    package func pipeline(_ body: (inout Pipeline) -> Void) throws(PostgresError) -> [Rows] {
        let connection = try live()
        notices.reset()
        try enterPipeline(connection)
        var pipeline = Pipeline(session: self, connection: connection)
        body(&pipeline)
        defer { if pipeline.commits { cancelHandle.unprotect() } }
        if let failure = pipeline.failure {
            // Without a synchronisation point nothing was committed yet, and closing makes sure that nothing will be.
            try abandon(pipeline, connection)
            throw failure
        }
        do throws(PostgresError) {
            guard PQpipelineSync(connection) == 1 else { throw lost(connection) }
            try flush(connection)
            return try receiveAll(pipeline, connection)
        } catch {
            guard pipeline.commits, error.code == .connectionLost || error.code == .protocolViolation else {
                throw error
            }
            throw error.recoded(.commitUnknown)
        }
    }

    /// Leaves a pipeline that was not filled. If nothing was sent the session stays usable.
    private func abandon(_ pipeline: Pipeline, _ connection: OpaquePointer) throws(PostgresError) {
        if pipeline.expectations.isEmpty, PQexitPipelineMode(connection) == 1 { return }
        markBroken()
        close()
    }

    private func receiveAll(_ pipeline: Pipeline, _ connection: OpaquePointer) throws(PostgresError) -> [Rows] {
        var answer: [Rows] = []
        answer.reserveCapacity(pipeline.count)
        var failure: PostgresError?
        var index = 0
        for expectation in pipeline.expectations {
            switch expectation {
            case .prepared(let statement):
                let refusal = try receivePrepared(statement, connection, index: index)
                failure = failure ?? refusal
            case .rows(let name):
                let rows = try receiveOne(connection, name, index, &failure)
                if let rows { answer.append(rows) }
                index += 1
            case .begin: _ = try receiveOne(connection, "BEGIN", nil, &failure)
            case .commit:
                notices.reset()
                if let rows = try receiveOne(connection, "COMMIT", nil, &failure) { try checkCommitted(rows) }
            }
        }
        try receiveSync(connection)
        try exitPipeline(connection)
        if let failure {
            if pipeline.begins { rollback() }
            throw failure
        }
        if notices.sawUnreplicatedCommit { throw PostgresError(.commitUnknown) }
        return answer
    }

    /// One statement's result; nil if it failed or was skipped. Throws if the connection failed.
    private func receiveOne(
        _ connection: OpaquePointer,
        _ name: String,
        _ index: Int?,
        _ failure: inout PostgresError?
    ) throws(PostgresError) -> Rows? {
        guard let result = try receive(connection) else { throw lost(connection) }
        var rows: Rows?
        switch PQresultStatus(result) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: rows = Rows(result: ResultStorage(result))
        case PGRES_PIPELINE_ABORTED: PQclear(result)
        default:
            let error = error(result, connection, name, index: index)
            PQclear(result)
            guard PQstatus(connection) == CONNECTION_OK else { throw error }
            failure = failure ?? error
        }
        guard try receive(connection) == nil else { throw lost(connection) }
        return rows
    }

    func enterPipeline(_ connection: OpaquePointer) throws(PostgresError) {
        guard PQenterPipelineMode(connection) == 1 else {
            throw PostgresError(.invalidRequest, "the session is busy with another statement")
        }
    }

    func exitPipeline(_ connection: OpaquePointer) throws(PostgresError) {
        guard PQexitPipelineMode(connection) == 1 else { throw lost(connection) }
    }

    func receiveSync(_ connection: OpaquePointer) throws(PostgresError) {
        guard let result = try receive(connection) else { throw lost(connection) }
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_PIPELINE_SYNC else { throw error(result, connection) }
    }
}
