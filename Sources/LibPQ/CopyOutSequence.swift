/// Names a COPY of a connection.
struct CopyID: Hashable, Sendable {
    private let token = Token()

    private final class Token: Sendable {}

    static func == (a: Self, b: Self) -> Bool { a.token === b.token }
    func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(token)) }
}

/// The data of a `COPY … TO STDOUT` as chunks of whole messages (rows), in order.
///
/// Pull-driven: the server is read only when a chunk is asked for, so a slow reader slows the server. The COPY starts
/// with the first chunk and occupies the connection until the end; when the iterator is dropped before, the COPY is
/// cancelled and the rest dropped. Each iteration runs the statement anew.
package struct CopyOutSequence: AsyncSequence, Sendable {
    package typealias Element = [UInt8]
    package typealias Failure = any Error

    let connection: Connection
    let sql: String
    let chunkBytes: Int

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }

    package struct AsyncIterator: AsyncIteratorProtocol {
        private enum Phase {
            case notStarted, running, done
        }

        private let sequence: CopyOutSequence
        private let cursor: Cursor
        private var phase = Phase.notStarted

        init(_ sequence: CopyOutSequence) {
            self.sequence = sequence
            cursor = Cursor(connection: sequence.connection)
        }

        package mutating func next() async throws -> [UInt8]? { try await next(isolation: nil) }

        package mutating func next(isolation actor: isolated (any Actor)?) async throws -> [UInt8]? {
            guard phase != .done else { return nil }
            let start = phase == .notStarted ? sequence.sql : nil
            // Whatever happens but a chunk with more to follow is the end.
            phase = .done
            let (bytes, isLast) = try await sequence.connection.copyChunk(
                cursor.id,
                starting: start,
                size: sequence.chunkBytes
            )
            if !isLast { phase = .running }
            return bytes
        }
    }

    /// Stops the COPY when the iterator is gone.
    private final class Cursor: Sendable {
        let connection: Connection
        let id = CopyID()

        init(connection: Connection) { self.connection = connection }

        deinit {
            let id = id
            connection.later { $0.stopCopy(id) }
        }
    }
}
