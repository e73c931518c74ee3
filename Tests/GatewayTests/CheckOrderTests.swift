import HTTPTypes
import Testing

@testable import Gateway

/// Everything that can be wrong with one request, set right one by one in the contract's order.
struct CheckOrderTests {
    @Test func `a PUT is judged in the contract's order`() async throws {
        try await TestGateway.run(configuration: .test { $0.requireIfMatch = true }) { gateway in
            let taken = try await gateway.makeProduct("TAKEN")
            let path = "/v1/products/\(try await gateway.makeProduct("MINE"))"
            let gone = "/v1/products/\(taken + 100)"
            let large = String(repeating: "x", count: 1 << 20 + 1)
            func put(_ uri: String, _ who: TestGateway.Who?, _ type: String, _ body: String, _ ifMatch: String?)
                async throws
                -> String?
            {
                var headers: HTTPFields = [:]
                headers[.ifMatch] = ifMatch
                return try await gateway.send(.put, uri, as: who, body, type: type, headers: headers).problem
            }
            let json = "application/json"
            #expect(try await put("/v1/products/x?y=1", nil, "text/plain", large, "bad") == "unauthenticated")
            #expect(try await put("/v1/products/x?y=1", .reader, "text/plain", large, "bad") == "missing-scope")
            #expect(try await put("/v1/products/x?y=1", .ana, "text/plain", large, "bad") == "invalid-path")
            #expect(try await put(gone + "?y=1", .ana, "text/plain", large, "bad") == "invalid-query")
            #expect(try await put(gone, .ana, "text/plain", large, "bad") == "invalid-header")
            #expect(try await put(gone, .ana, "text/plain", large, nil) == "body-too-large")
            #expect(try await put(gone, .ana, "text/plain", "x", nil) == "unsupported-media-type")
            #expect(try await put(gone, .ana, json, "x", nil) == "malformed-json")
            #expect(try await put(gone, .ana, json, "{}", nil) == "invalid-fields")
            #expect(try await put(gone, .ana, json, TestGateway.body("TAKEN"), nil) == "precondition-required")
            #expect(try await put(gone, .ana, json, TestGateway.body("TAKEN"), "\"stale\"") == "product-not-found")
            #expect(try await put(path, .ana, json, TestGateway.body("TAKEN"), "\"stale\"") == "precondition-failed")
            #expect(try await put(path, .ana, json, TestGateway.body("TAKEN"), "*") == "code-taken")
            #expect(try await put(path, .ana, json, TestGateway.body("FREE"), "*") == nil)
        }
    }

    @Test func `a wrong path or method is told without a key`() async throws {
        try await TestGateway.run { gateway in
            let path = try await gateway.send(.get, "/v1/product", as: nil)
            #expect(path.problem == "no-such-path")
            let method = try await gateway.send(.delete, "/v1/products", as: nil)
            #expect(method.problem == "method-not-allowed")
        }
    }
}
