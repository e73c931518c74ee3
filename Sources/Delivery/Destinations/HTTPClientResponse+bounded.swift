import AsyncHTTPClient
import NIOCore

extension HTTPClientResponse {
    /// The body, if it has at most so many bytes and is there in time: a request's deadline ends with the answer's head.
    func collect(upTo limit: Int, within time: Duration) async throws -> ByteBuffer {
        let body = body
        return try await withThrowingTaskGroup(of: ByteBuffer?.self) { group in
            group.addTask { try await body.collect(upTo: limit) }
            group.addTask {
                try await Task.sleep(for: time)
                return nil
            }
            defer { group.cancelAll() }
            guard let collected = try await group.next() ?? nil else { throw HTTPClientError.deadlineExceeded }
            return collected
        }
    }
}
