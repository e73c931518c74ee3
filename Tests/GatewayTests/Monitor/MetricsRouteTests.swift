import Catalog
import EventLog
import HTTPTypes
import TestSupport
import Testing

@testable import Gateway

struct MetricsRouteTests {
    /// The value of a series without labels.
    private static func value(_ name: String, _ reply: Reply) -> Double? {
        reply.text.split(separator: "\n").first { $0.hasPrefix("\(name) ") }.flatMap {
            Double($0.dropFirst(name.count + 1))
        }
    }

    @Test func `who may read it gets the text format, kept by nobody, and leaves no event`() async throws {
        try await TestGateway.run { gateway in
            try await gateway.makeProduct("C1")
            let end = try await gateway.end()
            let reply = try await gateway.send(.get, "/metrics", as: .admin)
            #expect(reply.status == .ok)
            #expect(reply.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(reply.headers[.cacheControl] == "no-store")
            #expect(Self.value("rastro_database_up", reply) == 1)
            #expect(Self.value("rastro_log_position", reply) == Double(end))
            #expect(Self.value("rastro_log_events_total", reply) == Double(end))
            #expect(reply.text.contains(#"rastro_queue_has_owner{queue="product-events.fifo"} 0"#))
            #expect(try await gateway.end() == end)
        }
    }

    @Test func `the key may come as Bearer, as Prometheus sends it`() async throws {
        try await TestGateway.run { gateway in
            let key = try #require(gateway.keys[.admin])
            let headers: HTTPFields = [.authorization: "Bearer \(key)"]
            #expect(try await gateway.send(.get, "/metrics", as: nil, headers: headers).status == .ok)
            #expect(try await gateway.send(.get, "/metrics", as: nil).problem == "unauthenticated")
        }
    }

    @Test func `without the scope monitor:read it is 403`() async throws {
        try await TestGateway.run { gateway in
            for who in [TestGateway.Who.reader, .auditor, .proxy] {
                let reply = try await gateway.send(.get, "/metrics", as: who)
                #expect(reply.problem == "missing-scope")
                #expect(reply.json["detail"]?.text?.contains("monitor:read") == true)
                #expect(!reply.text.contains("rastro_log"))
            }
        }
    }

    @Test func `counters never fall from one scrape to the next`() async throws {
        try await TestGateway.run { gateway in
            var last = 0.0
            for number in 0..<3 {
                try await gateway.makeProduct("C\(number)")
                let reply = try await gateway.send(.get, "/metrics", as: .admin)
                let count = try #require(Self.value("rastro_log_events_total", reply))
                #expect(count > last)
                #expect(Self.value("rastro_log_commits_total", reply) ?? 0 > 0)
                last = count
            }
        }
    }

    @Test func `no product, user or request stands in it`() async throws {
        try await TestGateway.run { gateway in
            let id = try await gateway.makeProduct("SECRET-CODE")
            _ = try await gateway.send(.get, "/v1/products/\(id)", headers: [.requestID: "label-4711"])
            let text = try await gateway.send(.get, "/metrics", as: .admin).text
            for word in ["SECRET-CODE", "label-4711", "ana", "/v1/products"] { #expect(!text.contains(word)) }
        }
    }

    @Test func `without its database a server still tells what it has counted, also when keys are forgotten`()
        async throws
    {
        try await TestGateway.run { gateway in
            try await gateway.makeProduct("C1")
            #expect(try await gateway.send(.get, "/metrics", as: .admin).status == .ok)
            let end = try await gateway.end()
            try await TestCluster.shared.dropDatabase(gateway.database)
            let key = try #require(gateway.keys[.admin])
            let deadline = ContinuousClock.now + .seconds(30)
            while (try? await gateway.services.keys.authenticate(key)) != nil, ContinuousClock.now < deadline {
                await Task.yield()
            }
            let reply = try await gateway.send(.get, "/metrics", as: .admin)
            #expect(reply.status == .ok)
            #expect(Self.value("rastro_database_up", reply) == 0)
            #expect(Self.value("rastro_log_position", reply) == Double(end))
            #expect(!reply.text.contains("rastro_queue_has_owner"))
            // Who was never seen is not let in.
            #expect(try await gateway.send(.get, "/metrics", as: .auditor).problem == "unavailable")
            #expect(try await gateway.send(.get, "/v1/products", as: .admin).problem == "unavailable")
        }
    }
}
