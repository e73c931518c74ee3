import Catalog
import HTTPTypes
import TestSupport
import Testing

@testable import Gateway

struct UnavailableTests {
    @Test func `without its database a server answers 503 with Retry-After in bounded time, and stays live`()
        async throws
    {
        try await TestGateway.run { gateway in
            try await gateway.makeProduct("C1")
            try await TestCluster.shared.dropDatabase(gateway.database)
            let start = ContinuousClock.now
            // Ana's key is remembered: her fetch was under way on a connection that broke. Ben's must be looked up.
            for (who, codes) in [(TestGateway.Who.ana, ["outcome-unknown", "unavailable"]), (.ben, ["unavailable"])] {
                let reply = try await gateway.send(.get, "/v1/products/1", as: who)
                #expect(codes.contains(reply.problem ?? ""), "\(reply.text)")
                #expect(reply.status == .serviceUnavailable)
                #expect(reply.headers[.retryAfter] != nil)
                #expect(reply.headers[.cacheControl] == "private, no-cache")
            }
            let write = try await gateway.send(.post, "/v1/products", TestGateway.body("C2"))
            #expect(write.problem == "unavailable")
            let ready = try await gateway.send(.get, "/readyz", as: nil)
            #expect(ready.status == .serviceUnavailable)
            #expect(ready.json["checks"]?["database"]?.text == "the database cannot be reached")
            #expect(try await gateway.send(.get, "/livez", as: nil).status == .ok)
            #expect(ContinuousClock.now - start < .seconds(30))
        }
    }
}
