import LibPQ
import Testing

@Suite("COPY")
struct CopyTests {
    private struct Enough: Error {}
    private static let rowCount = Statement(name: "copied", text: "select count(*), sum(id)::bigint from copied")

    /// Lines of numbers, cut in the middle.
    private static func pieces(upTo count: Int) -> [[UInt8]] {
        let bytes = Array((1...count).map { "\($0)\n" }.joined().utf8)
        return stride(from: 0, to: bytes.count, by: 777).map { Array(bytes[$0..<min($0 + 777, bytes.count)]) }
    }

    private static func connection() async throws -> Connection {
        Connection(
            configuration: try await TestDatabase.configuration(),
            threadName: "copy",
            logger: TestDatabase.logger
        )
    }

    @Test("in and out within a session")
    func inSession() async throws {
        try await TestDatabase.withSession { session in
            try session.execute("create temporary table copied (id bigint)")
            var pieces = Self.pieces(upTo: 10_000)[...]
            let copied = try session.copyIn("copy copied from stdin") { pieces.popFirst() }
            #expect(copied == 10_000)
            var lines = 0
            try session.copyOut("copy copied to stdout") { lines += $0.count { $0 == UInt8(ascii: "\n") } }
            #expect(lines == 10_000)
            #expect(throws: Enough.self) {
                try session.copyOut("copy (select generate_series(1, 100000000)) to stdout") { _ in throw Enough() }
            }
            #expect(throws: Enough.self) { try session.copyIn("copy copied from stdin") { throw Enough() } }
            #expect(session.isUsable)
            #expect(try session.query(Self.rowCount)[0].int64(0) == 10_000)
        }
    }

    @Test("errors of the server, at the start and in the data, leave the session usable")
    func serverErrors() async throws {
        try await TestDatabase.withSession { session in
            try session.execute("create temporary table copied (id bigint)")
            #expect(try failure { try session.copyOut("copy nowhere to stdout") { _ in } }?.sqlState == .undefinedTable)
            #expect(try failure { try session.copyOut("select 1") { _ in } }?.code == .invalidRequest)
            let late = "copy (select 1 / (5 - n) from generate_series(1, 9) n) to stdout"
            #expect(try failure { try session.copyOut(late) { _ in } }?.sqlState == "22012")
            var pieces = [Array("12\nno number\n".utf8)][...]
            let error = try failure { try session.copyIn("copy copied from stdin") { pieces.popFirst() } }
            #expect(error?.sqlState == "22P02")
            #expect(try session.query(Self.rowCount)[0].int64(0) == 0)
        }
    }

    @Test("as sequences, both ways")
    func asSequences() async throws {
        let connection = try await Self.connection()
        try await connection.run { try $0.execute("create temporary table copied (id bigint)") }
        let source = AsyncStream<[UInt8]> { continuation in
            for piece in Self.pieces(upTo: 50_000) { continuation.yield(piece) }
            continuation.finish()
        }
        #expect(try await connection.copyIn("copy copied from stdin", source) == 50_000)
        var bytes = 0
        var chunks = 0
        for try await chunk in connection.copyOut("copy copied to stdout", chunkBytes: 10_000) {
            bytes += chunk.count
            chunks += 1
        }
        #expect(bytes == Self.pieces(upTo: 50_000).map(\.count).reduce(0, +))
        #expect(chunks > 10)
        #expect(try await connection.run { try $0.query(Self.rowCount)[0].int64(0) } == 50_000)
        await connection.shutdown()
    }

    @Test("a reader that stops early ends the COPY, and the same session goes on", .timeLimit(.minutes(1)))
    func earlyStop() async throws {
        let connection = try await Self.connection()
        let before = try await connection.run { $0.backendProcessID }
        for _ in 0..<3 {
            var chunks = 0
            for try await _ in connection.copyOut("copy (select generate_series(1, 1000000000)) to stdout") {
                chunks += 1
                let busy = try await asyncFailure { try await connection.run { _ in } }
                #expect(busy?.code == .invalidRequest, "the connection is occupied meanwhile")
                if chunks == 3 { break }
            }
            #expect(try await connection.run { $0.backendProcessID } == before)
        }
        await connection.shutdown()
    }

    @Test("the server waits for a slow reader")
    func backpressure() async throws {
        let connection = try await Self.connection()
        let watcher = try await Self.connection()
        let process = try await connection.run { $0.backendProcessID }
        let sql = "copy (select repeat('x', 1000) from generate_series(1, 1000000)) to stdout"
        for try await _ in connection.copyOut(sql) {
            try await watcher.run { try waitUntil($0, "wait_event = 'ClientWrite'", process) }
            break
        }
        await connection.shutdown()
        await watcher.shutdown()
    }

    @Test("a source that fails keeps nothing")
    func failingSource() async throws {
        let connection = try await Self.connection()
        try await connection.run { try $0.execute("create temporary table copied (id bigint)") }
        let source = AsyncThrowingStream<[UInt8], any Error> { continuation in
            continuation.yield(Array("1\n2\n".utf8))
            continuation.finish(throwing: Enough())
        }
        await #expect(throws: Enough.self) { try await connection.copyIn("copy copied from stdin", source) }
        #expect(try await connection.run { try $0.query(Self.rowCount)[0].int64(0) } == 0)
        await connection.shutdown()
    }

    @Test("cancelling the reading task ends a COPY that gives nothing", .timeLimit(.minutes(1)))
    func cancelledReader() async throws {
        let connection = try await Self.connection()
        let watcher = try await Self.connection()
        let process = try await connection.run { $0.backendProcessID }
        let reader = Task {
            for try await _ in connection.copyOut("copy (select pg_sleep(100)) to stdout") {}
        }
        try await watcher.run { try waitUntil($0, "wait_event = 'PgSleep'", process) }
        reader.cancel()
        #expect(try await asyncFailure { try await reader.value }?.code == .cancelled)
        #expect(try await connection.run { $0.backendProcessID } != process)
        await connection.shutdown()
        await watcher.shutdown()
    }
}
