import Catalog
import EventLog
import LibPQ
import Testing

@testable import Delivery

/// Relays over a real log, to an HTTP endpoint.
@Suite(.serialized)
struct WebhookRelayTests {
    private static func secret() throws -> ServerSecret { try #require(ServerSecret(ServerSecret.randomText())) }

    private static func policy(_ secret: ServerSecret, _ networks: String = "127.0.0.0/8") throws -> WebhookPolicy {
        WebhookPolicy(secret: secret, networks: try #require(WebhookPolicy.networks(list: networks)))
    }

    private static func administration(_ test: TestRelay, _ secret: ServerSecret) throws -> WebhookAdministration {
        let context = try #require(RequestContext.commandLine(role: "operator"))
        return WebhookAdministration(log: test.log, context: context, secret: secret)
    }

    private static func add(_ test: TestRelay, _ secret: ServerSecret, _ url: String) async throws -> String {
        let added = try await administration(test, secret).add(
            name: "hook",
            configuration: WebhookConfiguration(url: url),
            types: [],
            products: [],
            after: 0
        )
        return try #require(added).secret
    }

    private static func expected(_ test: TestRelay) throws -> [String: [Int64]] {
        Dictionary(grouping: try test.events(), by: \.group).mapValues { $0.map(\.position) }
    }

    private static func actions(_ test: TestRelay) throws -> [String] {
        try test.withSession { session in
            try RecordedEvent.read(session, after: 0, limit: 1_000).filter { $0.type == .operated }.compactMap {
                event in
                guard let data = event.data, case .string(let change)? = try JSONParser.parse(data)["change"] else {
                    return nil
                }
                return "\(change) by \(event.userID ?? "?")"
            }
        }
    }

    /// Has events recorded until one arrives for which it holds: a change goes for what is sent within a second.
    private static func sendUntil(
        _ test: TestRelay,
        _ receiver: WebhookReceiver,
        _ what: String,
        _ holds: (WebhookReceiver.Message) -> Bool
    ) async throws {
        try await test.fill(products: 1, fetches: 0)
        let deadline = ContinuousClock.now + .seconds(20)
        while receiver.taken.last.map(holds) != true {
            guard ContinuousClock.now < deadline else {
                Issue.record("not within 20 s: \(what)")
                return
            }
            try await test.submit(.fetch(try #require(ProductID(1))))
            try await test.caughtUp("hook")
        }
    }

    @Test func `each event is a signed POST, in order within its product`() async throws {
        let receiver = try WebhookReceiver()
        defer { receiver.stop() }
        let secret = try Self.secret()
        try await TestRelay.run { test in
            let shown = try await Self.add(test, secret, receiver.url)
            try await TestRelay.running([test.relays(open: Destinations.opener(try Self.policy(secret)))]) {
                try await test.fill(products: 6, fetches: 5)
                try await test.caughtUp("hook")
            }
            #expect(receiver.order == (try Self.expected(test)))
            #expect(receiver.taken.allSatisfy { $0.isSigned(with: shown) && $0.signatures.count == 1 })
            #expect(receiver.taken.allSatisfy { $0.id == "\(test.log.identity.incarnation)-\($0.position)" })
            let stored = try test.withSession { session in
                try session.query(Statement(name: "stored", text: "select configuration::text from destinations"))
                    .map { try $0.text(0) }
            }
            #expect(!stored.joined().contains(shown.dropFirst(6)), "the secret is kept nowhere")
        }
    }

    @Test func `an event that is not taken holds its own product only, and comes again`() async throws {
        let receiver = try WebhookReceiver()
        defer { receiver.stop() }
        let secret = try Self.secret()
        receiver.answer { LoopbackServer.Answer(status: $0.group == "2" ? 500 : 200) }
        try await TestRelay.run { test in
            _ = try await Self.add(test, secret, receiver.url)
            try await TestRelay.running([test.relays(open: Destinations.opener(try Self.policy(secret)))]) {
                try await test.fill(products: 4, fetches: 5)
                let others = try Self.expected(test).filter { $0.key != "2" }
                try await test.wait("the others arrive") { receiver.order == others }
                let tried = receiver.requests.filter { $0.group == "2" }.map(\.position)
                #expect(Set(tried).count == 1, "its later events wait")
                receiver.answer { _ in LoopbackServer.Answer(status: 200) }
                try await test.caughtUp("hook")
            }
            #expect(receiver.order == (try Self.expected(test)))
        }
    }

    @Test func `an endpoint that is gone is disabled, recorded, and goes on when it is resumed`() async throws {
        let receiver = try WebhookReceiver()
        defer { receiver.stop() }
        let secret = try Self.secret()
        receiver.answer { LoopbackServer.Answer(status: $0.position > 10 ? 410 : 200) }
        try await TestRelay.run { test in
            _ = try await Self.add(test, secret, receiver.url)
            try await TestRelay.running([test.relays(open: Destinations.opener(try Self.policy(secret)))]) {
                try await test.fill(products: 3, fetches: 5)
                try await test.wait("it is disabled") { try test.status("hook").isPaused }
                #expect(try test.status("hook").lastError == "the endpoint is gone (410)")
                #expect(try Self.actions(test).last == "disabled by system:relay")
                let asked = receiver.requests.count
                receiver.answer { _ in LoopbackServer.Answer(status: 200) }
                try await test.submit(.fetch(try #require(ProductID(1))))
                #expect(receiver.requests.count == asked)
                #expect(try await test.administration().pause("hook", false))
                try await test.caughtUp("hook")
            }
            #expect(receiver.order == (try Self.expected(test)))
        }
    }

    @Test func `while a secret is rotated both sign, then only the new one`() async throws {
        let receiver = try WebhookReceiver()
        defer { receiver.stop() }
        let secret = try Self.secret()
        try await TestRelay.run { test in
            let first = try await Self.add(test, secret, receiver.url)
            let administration = try Self.administration(test, secret)
            try await TestRelay.running([test.relays(open: Destinations.opener(try Self.policy(secret)))]) {
                try await test.caughtUp("hook")
                let second = try #require(try await administration.rotate("hook", keeping: .seconds(3_600)))
                try await Self.sendUntil(test, receiver, "both sign") {
                    $0.isSigned(with: first) && $0.isSigned(with: second)
                }
                let third = try #require(try await administration.rotate("hook", keeping: .zero))
                try await Self.sendUntil(test, receiver, "only the new one signs") {
                    $0.isSigned(with: third) && $0.signatures.count == 1
                }
            }
            #expect(try await administration.rotate("other", keeping: .zero) == nil)
        }
    }

    @Test func `a private address is not reached, and nothing of the event leaves`() async throws {
        let receiver = try WebhookReceiver()
        defer { receiver.stop() }
        let secret = try Self.secret()
        try await TestRelay.run { test in
            _ = try await Self.add(test, secret, receiver.url)
            let strict = Destinations.opener(try Self.policy(secret, ""))
            try await TestRelay.running([test.relays(open: strict)]) {
                try await test.wait("it is told") {
                    try test.status("hook").lastError?.contains("not a public one") == true
                }
            }
            #expect(receiver.requests.isEmpty)
            #expect(try test.status("hook").failingSince != nil)
        }
    }

    @Test func `the address that was looked at is the one connected to, under the endpoint's own name`() async throws {
        let receiver = try WebhookReceiver()
        defer { receiver.stop() }
        let secret = try Self.secret()
        let policy = try Self.policy(secret)
        // The name is known to this resolver alone.
        let resolver = HostResolver {
            $0 == "shop.invalid" ? ["10.1.2.3", "127.0.0.1"].compactMap(IPAddress.init) : []
        }
        try await TestRelay.run { test in
            _ = try await Self.add(test, secret, "http://shop.invalid:\(receiver.port)/hook")
            let opener: DestinationOpener = { description throws(DestinationError) in
                let configuration = try WebhookConfiguration(json: description.configuration)
                return try WebhookDestination(configuration, policy: policy, resolver: resolver)
            }
            try await TestRelay.running([test.relays(open: opener)]) { try await test.caughtUp("hook") }
            #expect(!receiver.taken.isEmpty)
            #expect(receiver.taken.allSatisfy { $0.host == "shop.invalid:\(receiver.port)" })
        }
    }

    @Test func `a server with another secret sends nothing rather than what cannot be verified`() async throws {
        let receiver = try WebhookReceiver()
        defer { receiver.stop() }
        try await TestRelay.run { test in
            _ = try await Self.add(test, try Self.secret(), receiver.url)
            let opener = Destinations.opener(try Self.policy(try Self.secret()))
            try await TestRelay.running([test.relays(open: opener)]) {
                try await test.wait("it is told") {
                    try test.status("hook").lastError?.contains("not the one that the webhook was made with") == true
                }
            }
            #expect(receiver.requests.isEmpty)
        }
    }

    @Test func `a changed filter goes for what is read from then on`() async throws {
        let receiver = try WebhookReceiver()
        defer { receiver.stop() }
        let secret = try Self.secret()
        try await TestRelay.run { test in
            _ = try await Self.add(test, secret, receiver.url)
            try await TestRelay.running([test.relays(open: Destinations.opener(try Self.policy(secret)))]) {
                try await test.fill(products: 2, fetches: 1)
                try await test.caughtUp("hook")
                var change = WebhookChange()
                change.types = [.updated]
                #expect(try await test.administration().change(webhook: "hook", change))
                #expect(try await !test.administration().change(webhook: "other", change))
                // The owner begins anew within a second: from then on fetches pass it by.
                let deadline = ContinuousClock.now + .seconds(20)
                var (passed, before) = (false, 0)
                while !passed, ContinuousClock.now < deadline {
                    before = receiver.taken.count
                    try await test.submit(.fetch(try #require(ProductID(1))))
                    try await test.caughtUp("hook")
                    passed = receiver.taken.count == before
                }
                #expect(passed)
                for _ in 0..<3 { try await test.submit(.fetch(try #require(ProductID(1)))) }
                try await test.caughtUp("hook")
                #expect(receiver.taken.count == before)
            }
        }
    }
}
