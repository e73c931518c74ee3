import Catalog
import EmbeddedPostgres
import EventLog
import HTTPTypes
import Hummingbird
import LibPQ
import Testing

@testable import Gateway

struct AnswerFormTests {
    @Test func `a request id is taken over when well-formed, else made, and always echoed`() async throws {
        try await TestGateway.run { gateway in
            try await gateway.makeProduct("C1")
            let start = try await gateway.end()
            let labels = ["abc-1._Z", String(repeating: "x", count: 128)]
            for label in labels {
                let reply = try await gateway.send(.get, "/v1/products/1", headers: [.requestID: label])
                #expect(reply.headers[.requestID] == label)
            }
            for label in ["", "a b", "é", String(repeating: "x", count: 129)] {
                let reply = try await gateway.send(.get, "/v1/products/1", headers: [.requestID: label])
                let made = try #require(reply.headers[.requestID])
                #expect(made.count == 36 && made != label)
                #expect(try await gateway.events().last?.requestID == made)
            }
            #expect(try await gateway.events(after: start).prefix(2).map(\.requestID) == labels)
            #expect(try await gateway.send(.get, "/livez", as: nil).headers[.requestID] != nil)
            #expect(try await gateway.send(.get, "/nowhere", as: nil).headers[.requestID] != nil)
        }
    }

    @Test func `a trace context is stored with the event; an invalid one is begun anew`() async throws {
        try await TestGateway.run { gateway in
            try await gateway.makeProduct("C1")
            let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
            _ = try await gateway.send(.get, "/v1/products/1", headers: [.traceParent: good])
            #expect(try await gateway.events().last?.trace?.description == good)
            let zero = "00-00000000000000000000000000000000-00f067aa0ba902b7-01"
            for bad in [zero, "x", good + "-more"] {
                _ = try await gateway.send(.get, "/v1/products/1", headers: [.traceParent: bad])
                let trace = try #require(try await gateway.events().last?.trace)
                #expect(trace.description != bad && trace.description != good)
            }
            _ = try await gateway.send(.get, "/v1/products/1")
            #expect(try await gateway.events().last?.trace == nil)
        }
    }

    @Test func `a HEAD has no body, not even with a problem`() async throws {
        try await TestGateway.run { gateway in
            for uri in ["/v1/products/1", "/v1/products/x", "/nowhere", "/livez", "/readyz", "/docs/problems"] {
                let reply = try await gateway.send(.head, uri)
                #expect(reply.text.isEmpty, "\(uri)")
                #expect(reply.headers[.contentLength] != "0", "\(uri)")
            }
        }
    }

    @Test func `every problem has a page`() async throws {
        try await TestGateway.run { gateway in
            let index = try await gateway.send(.get, "/docs/problems", as: nil)
            for code in ProblemCode.allCases {
                let page = try await gateway.send(.get, "/docs/problems/\(code.rawValue)", as: nil)
                #expect(page.status == .ok)
                #expect(page.headers[.contentType] == "text/html; charset=utf-8")
                #expect(page.headers[.contentSecurityPolicy]?.contains("default-src 'none'") == true)
                #expect(page.text.contains(code.rawValue))
                #expect(index.text.contains("/docs/problems/\(code.rawValue)\""))
            }
        }
    }

    @Test func `livez and readyz are open and not kept`() async throws {
        try await TestGateway.run { gateway in
            let live = try await gateway.send(.get, "/livez", as: nil)
            #expect(live.status == .ok)
            let ready = try await gateway.send(.get, "/readyz", as: nil)
            #expect(ready.status == .ok)
            #expect(ready.text == #"{"status":"ok","checks":{"database":"ok"}}"#)
            #expect(ready.headers[.cacheControl] == "no-store")
        }
    }

    @Test func `readyz is 503 when a check fails and names it`() async throws {
        let checks = [
            ReadinessCheck(name: "relay") { nil },
            ReadinessCheck(name: "sealer") { "there is no key" },
        ]
        try await TestGateway.run(readiness: checks.map { check in { _ in check } }) { gateway in
            let ready = try await gateway.send(.get, "/readyz", as: nil)
            #expect(ready.status == .serviceUnavailable)
            #expect(ready.headers[.retryAfter] != nil)
            let found = ready.json["checks"]
            #expect(found?["database"]?.text == "ok")
            #expect(found?["relay"]?.text == "ok")
            #expect(found?["sealer"]?.text == "there is no key")
        }
    }

    @Test func `readyz tells a schema that is too old and queues that nobody serves`() async throws {
        try await TestGateway.run(readiness: [ReadinessCheck.schema, ReadinessCheck.queues]) { gateway in
            func change(_ sql: String) throws {
                let session = try Session.open(ConnectionConfiguration(url: gateway.database.superuserConnectionString))
                defer { session.close() }
                try session.execute("set search_path = \(Migrator.schema); \(sql)")
            }
            func checks() async throws -> JSONValue? {
                let reply = try await gateway.send(.get, "/readyz", as: nil)
                #expect((reply.status == .ok) == (reply.json["status"]?.text == "ok"))
                return reply.json["checks"]
            }
            var found = try await checks()
            #expect(found?["schema"]?.text == "ok")
            #expect(found?["queues"]?.text == "no process serves product-events.fifo, product-activity.fifo")
            try change("update queues set owner = 'x', lease_until = clock_timestamp() + interval '1 hour'")
            found = try await checks()
            #expect(found?["database"]?.text == "ok" && found?["queues"]?.text == "ok")
            try change("update queues set lease_until = clock_timestamp() where name = 'product-events.fifo'")
            #expect(try await checks()?["queues"]?.text == "no process serves product-events.fifo")
            try change("delete from schema_versions where number = \(Migrator.latest)")
            #expect(
                try await checks()?["schema"]?.text
                    == "the schema is at version \(Migrator.latest - 1); this program needs \(Migrator.latest)"
            )
            try change("insert into schema_versions values (\(Migrator.latest + 1), 'newer')")
            #expect(try await checks()?["schema"]?.text == "ok")
        }
    }

    @Test func `headers beyond their limit are 431`() async throws {
        try await TestGateway.run { gateway in
            let large: HTTPFields = [.cookie: String(repeating: "x", count: 16 << 10)]
            let reply = try await gateway.send(.get, "/livez", as: nil, headers: large)
            #expect(reply.problem == "headers-too-large")
            #expect(reply.status.code == 431)
            let long = "/v1/products/" + String(repeating: "1", count: 16 << 10)
            #expect(try await gateway.send(.get, long).problem == "headers-too-large")
        }
    }

    @Test func `a full waiting room answers 503 with Retry-After, health stays open`() async throws {
        try await TestGateway.run(configuration: .test { $0.waitingRequestsLimit = 0 }) { gateway in
            let reply = try await gateway.send(.get, "/v1/products/1")
            #expect(reply.problem == "overloaded")
            #expect(reply.headers[.retryAfter] == "1")
            #expect(try await gateway.send(.get, "/livez").status == .ok)
        }
    }

    @Test func `the waiting room lets in as many as it has room for`() {
        let room = WaitingRoom(limit: 2)
        #expect(room.enter() && room.enter())
        #expect(!room.enter() && !room.enter())
        room.leave()
        #expect(room.enter())
        #expect(!room.enter())
    }
}
