import Catalog
import EventLog
import JetStream
import TestSupport
import Testing

@testable import Delivery

/// A relay over a real log, to a real nats-server that is killed and forgets.
@Suite(
    "Relaying to JetStream",
    .serialized,
    .enabled(if: NATSServer.executable != nil, Comment(rawValue: NATSServer.missing))
)
struct JetStreamRelayTests {
    private static func add(_ test: TestRelay, _ nats: StreamServer, after: Int64? = 0) async throws {
        var configuration = nats.configuration(after: nil)
        configuration.duplicateWindowSeconds = 1
        let cursor = try await test.administration().add(
            name: "nats",
            kind: .jetstream,
            configuration: configuration.json,
            types: [],
            products: [],
            after: after
        )
        #expect(cursor != nil)
    }

    private static func expected(_ test: TestRelay, after: Int64 = 0) throws -> [String] {
        try test.events().map(\.position).filter { $0 > after }.map { String($0) }
    }

    /// Waits until the stream holds so many messages.
    private static func filled(_ nats: StreamServer, _ count: Int) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while try await nats.withClient({ try await $0.stream("PRODUCTS")?.lastSequence ?? 0 }) < count {
            guard ContinuousClock.now < deadline else {
                Issue.record("not within half a minute: \(count) messages")
                return
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    @Test("everything arrives in the log's order; a replay comes under ids of its own")
    func order() async throws {
        let nats = try StreamServer()
        try await TestRelay.run { test in
            try await Self.add(test, nats)
            try await TestRelay.running([test.relays(open: Destinations.opener(WebhookPolicy(secret: nil)))]) {
                try await test.fill(products: 8, fetches: 20)
                try await test.caughtUp("nats")
            }
            let stored = try await nats.stored()
            #expect(stored.map(\.id) == (try Self.expected(test)))
            let created = try #require(stored.first { $0.subject == "products.3.created" })
            let json = try JSONParser.parse(created.body)
            #expect(json["id"] == .string(created.id) && json["subject"] == .string("product/3"))
            #expect(stored.contains { $0.subject == "products.log.operated" })
        }
        nats.server.kill()
    }

    @Test("kill -9 of nats-server between acknowledgement and disk: what it lost is sent again, and the order holds")
    func loss() async throws {
        let nats = try StreamServer()
        try await TestRelay.run { test in
            try await Self.add(test, nats)
            try await TestRelay.running([test.relays(open: Destinations.opener(WebhookPolicy(secret: nil)))]) {
                try await test.fill(products: 4, fetches: 5)
                try await test.caughtUp("nats")
                try nats.crash(savingTo: "earlier")
                try nats.server.start()
                try await test.fill(products: 4, fetches: 0, from: 5)
                try await test.caughtUp("nats")
                let before = try await nats.ids()
                #expect(before == (try Self.expected(test)))
                // The cursor is saved, the messages are gone.
                try nats.losing(since: "earlier")
                #expect(try await nats.ids().count < before.count)
                // Nothing new happens: the lost connection alone tells.
                try await Self.filled(nats, try Self.expected(test).count)
            }
            #expect(try await nats.ids() == (try Self.expected(test)))
        }
        nats.server.kill()
    }

    @Test("a stream that lost everything is filled again from where its destination began")
    func lostAll() async throws {
        let nats = try StreamServer()
        try await TestRelay.run { test in
            try await test.fill(products: 3, fetches: 1)
            let start = try #require(try test.events().last?.position)
            try nats.crash(savingTo: "empty")
            try nats.server.start()
            try await Self.add(test, nats, after: nil)
            try await TestRelay.running([test.relays(open: Destinations.opener(WebhookPolicy(secret: nil)))]) {
                try await test.fill(products: 2, fetches: 0, from: 4)
                try await test.caughtUp("nats")
                #expect(try await nats.ids() == (try Self.expected(test, after: start)))
                try nats.losing(since: "empty")
                try await test.fill(products: 1, fetches: 0, from: 6)
                try await Self.filled(nats, try Self.expected(test, after: start).count)
            }
            #expect(try await nats.ids() == (try Self.expected(test, after: start)))
        }
        nats.server.kill()
    }
}
