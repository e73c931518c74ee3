import Catalog
import EventLog
import JetStream
import Synchronization
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
    private static func add(
        _ test: TestRelay,
        _ nats: StreamServer,
        types: [EventType] = [],
        after: Int64? = 0,
        change: (inout JetStreamConfiguration) -> Void = { _ in }
    ) async throws {
        var configuration = nats.configuration(after: nil)
        configuration.duplicateWindowSeconds = 1
        change(&configuration)
        let cursor = try await test.administration().add(
            name: "nats",
            kind: .jetstream,
            configuration: configuration.json,
            types: types,
            products: [],
            after: after
        )
        #expect(cursor != nil)
    }

    private static func relays(_ test: TestRelay) -> RelaySupervisor {
        test.relays(open: Destinations.opener(WebhookPolicy(secret: nil)))
    }

    /// Sends everything of some types once more, and waits for it; the replay's number.
    private static func replay(_ test: TestRelay, types: [EventType] = []) async throws -> Int32 {
        let end = try #require(try test.events().last?.position)
        let range = ReplayRange(from: 1, to: end, product: nil, types: types.map(\.rawValue))
        let context = try #require(RequestContext.commandLine(role: "operator"))
        let replay = DestinationReplay(destination: "nats", range: range)
        let number = try #require(try await replay.start(test.log, context: context))
        try await test.wait("the replay ends") {
            try test.withSession { try DestinationReplay.progress(number, $0).isFinished }
        }
        return number
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
            try await TestRelay.running([Self.relays(test)]) {
                try await test.fill(products: 8, fetches: 20)
                try await test.caughtUp("nats")
                let number = try await Self.replay(test, types: [.fetched])
                try await test.caughtUp("nats")
                let again = try test.events().filter { $0.type == .fetched }.map { "\($0.position)-r\(number)" }
                let ids = try await nats.ids()
                #expect(again.count == 160 && ids.filter { $0.contains("-") } == again)
                #expect(ids.filter { !$0.contains("-") } == (try Self.expected(test)))
            }
            let stored = try await nats.stored()
            let created = try #require(stored.first { $0.subject == "products.3.created" })
            let json = try JSONParser.parse(created.body)
            #expect(json["id"] == .string(created.id) && json["subject"] == .string("product/3"))
            #expect(stored.contains { $0.subject == "products.log.operated" })
        }
        nats.server.kill()
    }

    @Test("a filter: the stream holds what is selected, and whatever else happens sends nothing twice")
    func filter() async throws {
        let nats = try StreamServer()
        try await TestRelay.run { test in
            try await Self.add(test, nats, types: [.created])
            for round in 0..<3 {
                try await TestRelay.running([Self.relays(test)]) {
                    try await test.fill(products: 2, fetches: 3, from: 1 + 2 * round)
                    try await test.caughtUp("nats")
                }
            }
            let created = try test.events().filter { $0.type == .created }.map { String($0.position) }
            #expect(try await nats.ids() == created && created.count == 6)
        }
        nats.server.kill()
    }

    @Test("a changed filter counts from the next owner on, and a crash of the server changes nothing in that")
    func changedFilter() async throws {
        let nats = try StreamServer()
        try await TestRelay.run { test in
            try await Self.add(test, nats, types: [.created])
            let start = try await Self.change(test, nats)
            let events = try test.events()
            let expected = events.filter { $0.position > start || $0.type == .created }.map { String($0.position) }
            #expect(try await nats.ids() == expected)
            #expect(events.contains { $0.position <= start && $0.type == .fetched })
            #expect(events.contains { $0.position > start && $0.type == .fetched })
        }
        nats.server.kill()
    }

    /// Fills the stream, takes the filter away, fills it on and has the server forget that; from where on all events count.
    private static func change(_ test: TestRelay, _ nats: StreamServer) async throws -> Int64 {
        let start = Mutex<Int64>(0)
        try await TestRelay.running([Self.relays(test)]) {
            try await test.fill(products: 3, fetches: 2)
            try await test.caughtUp("nats")
            try nats.crash(savingTo: "earlier")
            try nats.server.start()
            let settings = try await test.administration().change("nats") {
                $0.types = []
                return "changed"
            }
            #expect(settings?.types == [])
            try await test.wait("the filter counts") {
                guard let position = try test.status("nats").destination.configuration["selectedAfter"]?.int64 else {
                    return false
                }
                start.withLock { $0 = position }
                return true
            }
            try await test.fill(products: 2, fetches: 2, from: 4)
            try await test.caughtUp("nats")
            let before = try await nats.ids().count
            try nats.losing(since: "earlier")
            #expect(try await nats.ids().count < before)
            try await Self.filled(nats, before)
        }
        return start.withLock(\.self)
    }

    @Test("a stream that another destination has filled stops the next one, and operators see why")
    func otherDestination() async throws {
        let nats = try StreamServer()
        try await TestRelay.run { test in
            try await Self.add(test, nats, types: [.created])
            try await TestRelay.running([Self.relays(test)]) {
                try await test.fill(products: 2, fetches: 2)
                try await test.caughtUp("nats")
                #expect(try await test.administration().remove("nats"))
                try await Self.add(test, nats)
                try await test.wait("the reason is shown") {
                    try test.status("nats").lastError?.contains("another destination") == true
                }
                #expect(try test.status("nats").cursor == 0)
            }
            #expect(try await nats.ids().count == 2)
        }
        nats.server.kill()
    }

    @Test("a first address that is silent for longer than the lease stops nothing")
    func silentAddress() async throws {
        let (nats, silent) = (try StreamServer(), try StreamServer())
        silent.server.pause()
        try await TestRelay.run { test in
            try await Self.add(test, nats) { $0.servers = [silent.server.url, nats.server.url] }
            try await TestRelay.running([Self.relays(test)]) {
                try await test.fill(products: 2, fetches: 2)
                try await test.caughtUp("nats")
            }
            #expect(try await nats.ids() == (try Self.expected(test)))
        }
        nats.server.kill()
        silent.server.kill()
    }

    @Test("an event that is too long for the server is parked and stops the stream, until an operator gives it up")
    func tooLong() async throws {
        let nats = try StreamServer(options: "max_payload: 2600")
        try await TestRelay.run { test in
            try await Self.add(test, nats)
            let relays = test.relays(open: { description throws(DestinationError) in
                try JetStreamDestination(description, requiredPayloadBytes: 1_024)
            })
            try await TestRelay.running([relays]) {
                try await test.fill(products: 1, fetches: 2)
                let text = String(repeating: "\u{1F600}", count: 200)
                let long = ProductFields(
                    code: "L",
                    name: text,
                    model: text,
                    price: try #require(Price(decimal: "1"))
                )
                try await test.submit(.create(try NewProduct(id: ProductID(90), fields: long)))
                try await test.fill(products: 2, fetches: 2, from: 2)
                try await test.wait("it is parked") { try !test.parked().isEmpty }
                let parked = try test.parked()
                #expect(parked.count == 1 && parked[0].error.contains("the server takes 1576"))
                #expect(try await test.administration().skip(parked[0].position, at: "nats", reason: "too long"))
                try await test.caughtUp("nats")
                #expect(try await nats.ids() == (try Self.expected(test).filter { $0 != "\(parked[0].position)" }))
            }
        }
        nats.server.kill()
    }

    @Test("kill -9 of nats-server between acknowledgement and disk: what it lost is sent again, and the order holds")
    func loss() async throws {
        let nats = try StreamServer()
        try await TestRelay.run { test in
            try await Self.add(test, nats)
            try await TestRelay.running([Self.relays(test)]) {
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
            try await TestRelay.running([Self.relays(test)]) {
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

extension JSONValue {
    fileprivate var int64: Int64? { if case .number(let text) = self { Int64(text) } else { nil } }
}
