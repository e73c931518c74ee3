internal import CLibPQ
internal import Glibc

extension Session {
    /// Runs `COPY … TO STDOUT` and hands over each message (one row, the first with the header in binary form) as it
    /// lies in memory. If `chunk` throws, the COPY is cancelled and the rest dropped; a surrounding transaction has
    /// then failed.
    package func copyOut(_ sql: String, _ chunk: (UnsafeRawBufferPointer) throws -> Void) throws {
        try beginCopyOut(sql)
        do {
            while try nextCopyMessage(chunk) {}
        } catch let error as PostgresError where !isCopyingOut {
            throw error
        } catch {
            try stopCopyOut()
            throw error
        }
    }

    /// Runs `COPY … FROM STDIN` with the data that `source` gives, nil being its end; pieces may be cut anywhere.
    /// Returns the number of rows. If `source` throws, nothing of it is kept. An error of the server shows at the end.
    @discardableResult
    package func copyIn(_ sql: String, from source: () throws -> [UInt8]?) throws -> Int {
        try beginCopyIn(sql)
        do {
            while let bytes = try source() { try putCopyData(bytes) }
        } catch {
            abortCopyIn()
            throw error
        }
        return try endCopyIn()
    }
}

// MARK: - Out

extension Session {
    /// Whether a COPY out is underway.
    var isCopyingOut: Bool { copyState == .out }

    func beginCopyOut(_ sql: String) throws(PostgresError) {
        try beginCopy(sql, PGRES_COPY_OUT)
        copyState = .out
    }

    /// Hands the next message to `body`; false at the end.
    func nextCopyMessage(_ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Bool {
        guard isCopyingOut else { return false }
        let connection = try live()
        while true {
            var data: UnsafeMutablePointer<CChar>?
            // On an encrypted connection libpq waits itself, see `receive`.
            let length = PQgetCopyData(connection, &data, isEncrypted ? 0 : 1)
            switch length {
            case 1...:
                defer { PQfreemem(data) }
                try body(UnsafeRawBufferPointer(start: data, count: Int(length)))
                return true
            case 0:
                if wait(for: POLLIN, on: connection, milliseconds: responseLimit) == 0 {
                    copyState = .none
                    throw silence()
                }
                if PQconsumeInput(connection) == 0 {
                    copyState = .none
                    throw lost(connection)
                }
            default:
                copyState = .none
                _ = try finish(connection, "COPY")
                return false
            }
        }
    }

    /// The messages that follow, up to about `size` bytes of them in one piece; nil at the end.
    func nextCopyChunk(size: Int) throws -> [UInt8]? {
        var chunk: [UInt8] = []
        chunk.reserveCapacity(size)
        while chunk.count < size, try nextCopyMessage({ chunk.append(contentsOf: $0) }) {}
        return chunk.isEmpty ? nil : chunk
    }

    /// Cancels a COPY out and drops the rest. The session stays usable.
    func stopCopyOut() throws(PostgresError) {
        guard isCopyingOut else { return }
        copyState = .none
        let connection = try live()
        cancelHandle.sendRequest()
        while true {
            var data: UnsafeMutablePointer<CChar>?
            guard PQgetCopyData(connection, &data, 0) > 0 else { break }
            PQfreemem(data)
        }
        while let result = try receive(connection) { PQclear(result) }
        guard PQstatus(connection) == CONNECTION_OK else { throw lost(connection) }
    }
}

// MARK: - In

extension Session {
    /// After this many bytes libpq's buffer is emptied, so that it does not grow.
    private static let flushThreshold = 1 << 16

    func beginCopyIn(_ sql: String) throws(PostgresError) {
        try beginCopy(sql, PGRES_COPY_IN)
        copyState = .in
        unflushedBytes = 0
    }

    /// Sends a piece; blocks while the server takes its time.
    func putCopyData(_ bytes: [UInt8]) throws(PostgresError) {
        let connection = try live()
        guard !bytes.isEmpty else { return }
        let status = bytes.withUnsafeBytes { buffer in
            let start = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            return PQputCopyData(connection, start, Int32(truncatingIfNeeded: buffer.count))
        }
        guard status == 1 else { throw lost(connection) }
        unflushedBytes += bytes.count
        guard unflushedBytes >= Self.flushThreshold else { return }
        unflushedBytes = 0
        try flush(connection)
    }

    /// Ends a COPY in; the number of rows it took.
    func endCopyIn() throws(PostgresError) -> Int {
        let connection = try live()
        copyState = .none
        guard PQputCopyEnd(connection, nil) == 1 else { throw lost(connection) }
        try flush(connection)
        return try finish(connection, "COPY").affectedRows
    }

    /// Gives a COPY in up; the server keeps nothing of it.
    func abortCopyIn() {
        guard copyState == .in else { return }
        copyState = .none
        do {
            let connection = try live()
            guard PQputCopyEnd(connection, "the source of the data failed") == 1 else { throw lost(connection) }
            try flush(connection)
            while let result = try receive(connection) { PQclear(result) }
        } catch {
            markBroken()
        }
    }

    private func beginCopy(_ sql: String, _ expected: ExecStatusType) throws(PostgresError) {
        let connection = try live()
        notices.reset()
        guard PQsendQuery(connection, sql) == 1 else { throw lost(connection) }
        try flush(connection)
        guard let result = try receive(connection) else { throw lost(connection) }
        if PQresultStatus(result) == expected {
            PQclear(result)
            return
        }
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH: markBroken()
        case PGRES_FATAL_ERROR:
            let failure = error(result, connection, "COPY")
            while let rest = try receive(connection) { PQclear(rest) }
            throw failure
        default: while let rest = try receive(connection) { PQclear(rest) }
        }
        throw PostgresError(.invalidRequest, "the statement is not the COPY that was expected")
    }
}
