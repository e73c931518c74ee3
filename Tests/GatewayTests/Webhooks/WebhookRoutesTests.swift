import Catalog
import EventLog
import HTTPTypes
import Testing

@testable import Gateway

/// `/v1/webhooks`
struct WebhookRoutesTests {
    private static func run(
        secret: ServerSecret? = ServerSecret(ServerSecret.randomText()),
        _ body: @escaping @Sendable (TestGateway) async throws -> Void
    ) async throws {
        try await TestGateway.run(secret: secret, body)
    }

    private static let shop = #"{"name": "shop", "url": "https://shop.example/events", "types": ["UPDATED"]}"#

    @Test func `a webhook is made, shown, changed, rotated and removed, each act by its user`() async throws {
        try await Self.run { gateway in
            let made = try await gateway.send(.post, "/v1/webhooks", as: .admin, Self.shop)
            #expect(made.status == .created)
            #expect(made.headers[.location] == "/v1/webhooks/shop")
            #expect(made.headers[.cacheControl] == "no-store")
            let secret = try #require(made.json["secret"]?.text)
            #expect(secret.hasPrefix("whsec_"))

            let shown = try await gateway.send(.get, "/v1/webhooks/shop", as: .admin)
            #expect(shown.status == .ok)
            #expect(shown.json["url"]?.text == "https://shop.example/events")
            #expect(shown.json["types"]?.items == [.string("UPDATED")])
            #expect(shown.json["secret"] == nil && !shown.text.contains(secret))

            let body = #"{"types": [], "products": [7], "paused": true, "timeoutSeconds": 3}"#
            let changed = try await gateway.send(.patch, "/v1/webhooks/shop", as: .admin, body)
            #expect(changed.status == .ok)
            #expect(changed.json["types"]?.items == [])
            #expect(changed.json["products"]?.items == [.integer(7)])
            #expect(changed.json["paused"] == .bool(true))
            #expect(changed.json["timeoutSeconds"]?.integer == 3)
            #expect(changed.json["url"]?.text == "https://shop.example/events")

            let rotated = try await gateway.send(.post, "/v1/webhooks/shop/rotate", as: .admin)
            #expect(rotated.status == .ok)
            #expect(rotated.json["secret"]?.text.map { $0 != secret } == true)

            let list = try await gateway.send(.get, "/v1/webhooks", as: .admin)
            #expect(list.json["items"]?.items.count == 1)
            #expect(try await gateway.send(.delete, "/v1/webhooks/shop", as: .admin).status == .noContent)
            #expect(try await gateway.send(.get, "/v1/webhooks/shop", as: .admin).problem == "webhook-not-found")

            let acts = try await gateway.events().filter { event in
                event.userID == "admin"
                    && event.data.map { String(decoding: $0, as: UTF8.self) }?.contains("shop") == true
            }
            #expect(acts.map(\.type) == [.operated, .operated, .operated, .operated])
            #expect(acts.allSatisfy { $0.data.map { !String(decoding: $0, as: UTF8.self).contains("whsec_") } ?? true })
        }
    }

    @Test func `only an admin may`() async throws {
        try await Self.run { gateway in
            for who in [TestGateway.Who.ana, .auditor] {
                let reply = try await gateway.send(.post, "/v1/webhooks", as: who, Self.shop)
                #expect(reply.problem == "missing-scope")
            }
            #expect(try await gateway.send(.get, "/v1/webhooks", as: nil).status == .unauthorized)
        }
    }

    @Test func `all that is wrong with a body is told at once, and nothing is made`() async throws {
        try await Self.run { gateway in
            let body = """
                {"name": "no name", "types": ["UPDATED", "NOPE"], "products": [1, 0], "timeoutSeconds": 31, \
                "concurrency": "8", "paused": true, "from": 0}
                """
            let reply = try await gateway.send(.post, "/v1/webhooks", as: .admin, body)
            #expect(reply.problem == "invalid-fields")
            let pointers = reply.json["errors"]?.items.compactMap { $0["pointer"]?.text } ?? []
            let expected = [
                "/name", "/types/1", "/products/1", "/timeoutSeconds", "/concurrency", "/paused", "/from", "/url",
            ]
            #expect(pointers == expected)
            let url = #"{"name": "shop", "url": "https://user:secret@shop.example/"}"#
            #expect(try await gateway.send(.post, "/v1/webhooks", as: .admin, url).problem == "invalid-fields")
            #expect(try await gateway.send(.get, "/v1/webhooks", as: .admin).json["items"]?.items == [])
        }
    }

    @Test func `a name is given once`() async throws {
        try await Self.run { gateway in
            #expect(try await gateway.send(.post, "/v1/webhooks", as: .admin, Self.shop).status == .created)
            #expect(try await gateway.send(.post, "/v1/webhooks", as: .admin, Self.shop).problem == "name-taken")
            let other = try await gateway.send(.patch, "/v1/webhooks/other", as: .admin, #"{"paused": true}"#)
            #expect(other.problem == "webhook-not-found")
        }
    }

    @Test func `without a server secret none is made`() async throws {
        try await Self.run(secret: nil) { gateway in
            let reply = try await gateway.send(.post, "/v1/webhooks", as: .admin, Self.shop)
            #expect(reply.problem == "no-server-secret")
            #expect(reply.headers.contains(.retryAfter))
        }
    }
}
