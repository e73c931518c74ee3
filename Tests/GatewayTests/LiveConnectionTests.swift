import HTTPTypes
import HummingbirdTesting
import Testing

@testable import Gateway

/// Over a real socket: what only a connection shows.
struct LiveConnectionTests {
    @Test func `a connection goes on after refused bodies`() async throws {
        try await TestGateway.run(.live) { gateway in
            let body = String(repeating: "x", count: 200_000)
            for _ in 0..<3 {
                let refused = try await gateway.send(.post, "/v1/products", as: nil, body, type: "application/json")
                #expect(refused.problem == "unauthenticated")
                #expect(refused.headers[.connection] == nil)
                let missing = try await gateway.send(.post, "/nowhere", body, type: "application/json")
                #expect(missing.problem == "no-such-path")
            }
            try await gateway.makeProduct("C1")
            #expect(try await gateway.send(.head, "/v1/products/1").status == .ok)
            let tag = try #require(try await gateway.send(.get, "/v1/products/1").headers[.eTag])
            let cached = try await gateway.send(.get, "/v1/products/1", headers: [.ifNoneMatch: tag])
            #expect(cached.status == .notModified)
            #expect(try await gateway.send(.delete, "/v1/products/1").status == .noContent)
            #expect(try await gateway.send(.get, "/v1/products/1").problem == "product-gone")
        }
    }

    @Test func `a body beyond the limit is refused at its head and ends the connection`() async throws {
        try await TestGateway.run(.live, configuration: .test { $0.bodyLimitBytes = 1_000 }) { gateway in
            let body = String(repeating: " ", count: 1_001)
            let reply = try await gateway.send(.post, "/v1/products", body, type: "application/json")
            #expect(reply.problem == "body-too-large")
            #expect(reply.headers[.connection] == "close")
        }
    }
}
