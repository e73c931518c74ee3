extension Connection {
    /// The bytes after which a chunk is handed over.
    package static let defaultChunkBytes = 64 * 1024

    /// The rows of a `COPY … TO STDOUT` as a sequence with backpressure; see `CopyOutSequence`.
    package nonisolated func copyOut(
        _ sql: String,
        chunkBytes: Int = Connection.defaultChunkBytes
    ) -> CopyOutSequence {
        CopyOutSequence(connection: self, sql: sql, chunkBytes: chunkBytes)
    }

    /// Sends what `source` gives to a `COPY … FROM STDIN`; pieces may be cut anywhere. Returns the number of rows.
    ///
    /// The next piece is asked for when the server has taken the last but about 64 KiB. If `source` throws or the task
    /// is cancelled, nothing is kept. The connection is occupied meanwhile.
    @discardableResult
    package func copyIn<Source: AsyncSequence & Sendable>(
        _ sql: String,
        _ source: Source
    ) async throws -> Int where Source.Element == [UInt8] {
        try await cancellable { cancellation in
            guard activeCopy == nil else { throw PostgresError(.invalidRequest, "a COPY is underway") }
            let session = try openSession()
            try cancellation.begin(session.cancelHandle)
            activeCopy = CopyID()
            defer {
                cancellation.end()
                activeCopy = nil
                tidy(session)
            }
            try session.beginCopyIn(sql)
            do {
                for try await piece in source { try session.putCopyData(piece) }
                if Task.isCancelled { throw PostgresError(.cancelled) }
            } catch {
                session.abortCopyIn()
                throw error
            }
            return try session.endCopyIn()
        }
    }

    /// The next chunk of a COPY, which is begun first if `sql` is given, and whether the COPY is over.
    func copyChunk(
        _ id: CopyID,
        starting sql: String?,
        size: Int
    ) async throws -> (bytes: [UInt8]?, isLast: Bool) {
        try await cancellable { cancellation in
            guard activeCopy == nil || activeCopy == id else {
                throw PostgresError(.invalidRequest, "another COPY is underway")
            }
            guard sql != nil || activeCopy == id else { throw PostgresError(isShutDown ? .shutdown : .cancelled) }
            let session = try sql == nil ? currentSession() : openSession()
            try cancellation.begin(session.cancelHandle)
            defer {
                cancellation.end()
                activeCopy = session.isCopyingOut && session.isUsable ? id : nil
                tidy(session)
            }
            if let sql { try session.beginCopyOut(sql) }
            let bytes = try session.nextCopyChunk(size: size)
            return (bytes, !session.isCopyingOut)
        }
    }

    /// Cancels the COPY if it is still underway.
    func stopCopy(_ id: CopyID) {
        guard activeCopy == id else { return }
        stopCopies()
    }

    /// Cancels a COPY out that is underway.
    func stopCopies() {
        guard activeCopy != nil, let session = try? currentSession(), session.isCopyingOut else { return }
        activeCopy = nil
        do { try session.stopCopyOut() } catch { session.markBroken() }
        tidy(session)
    }
}
