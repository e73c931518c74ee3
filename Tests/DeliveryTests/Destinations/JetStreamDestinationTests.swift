import Catalog
import JetStream
import TestSupport
import Testing

@testable import Delivery

/// Against a real nats-server.
@Suite(
    "JetStreamDestination",
    .serialized,
    .enabled(if: NATSServer.executable != nil, Comment(rawValue: NATSServer.missing))
)
struct JetStreamDestinationTests {
    private static func isUnavailable(_ outcome: SendOutcome) -> Bool {
        if case .unavailable = outcome { true } else { false }
    }

    private static func areAccepted(_ outcomes: [SendOutcome]) -> Bool { outcomes.allSatisfy { $0 == .accepted } }

    @Test("events stand in the stream in the log's order, by product and type, and once only")
    func order() async throws {
        let nats = try StreamServer()
        let destination = try nats.destination()
        #expect(try await destination.open() == 0)
        for first in stride(from: Int64(1), through: 1_201, by: 300) {
            let outcomes = await destination.send(StreamServer.events(first...(first + 299)))
            #expect(outcomes.count == 300 && Self.areAccepted(outcomes))
        }
        // The relay may send again what it had not saved as sent.
        #expect(Self.areAccepted(await destination.send(StreamServer.events(1_400...1_510))))
        let stored = try await nats.stored()
        #expect(stored.map(\.id) == StreamServer.ids(1...1_510))
        #expect(stored[4].subject == "products.5.fetched" && stored[6].subject == "products.log.operated")
        #expect(stored[4].body == StreamServer.event(5).body)
        #expect(stored[4].headers["Rastro-Through"] == "5")
        #expect(stored[4].headers["Rastro-Destination"] == "0123abcd/1/0-all")
        await destination.close()
        #expect(try await destination.open() == 1_510)
        await destination.close()
        nats.server.kill()
    }

    @Test("what was acknowledged and lost in a crash is missed at opening, and sent again in order")
    func loss() async throws {
        let nats = try StreamServer()
        let destination = try nats.destination()
        #expect(try await destination.open() == 0)
        #expect(Self.areAccepted(await destination.send(StreamServer.events(1...40))))
        try nats.crash(savingTo: "earlier")
        try nats.server.start()
        #expect(Self.isUnavailable(await destination.send(StreamServer.events(41...50))[0]))
        #expect(try await destination.open() == 40)
        #expect(Self.areAccepted(await destination.send(StreamServer.events(41...90))))
        try nats.losing(since: "earlier")
        #expect(try await nats.ids() == StreamServer.ids(1...40))
        // Before it was opened again it must take nothing: 91 would stand where 41 belongs.
        #expect(await destination.send(StreamServer.events(91...92)).allSatisfy { Self.isUnavailable($0) })
        #expect(try await destination.open() == 40)
        #expect(Self.areAccepted(await destination.send(StreamServer.events(41...95))))
        #expect(try await nats.ids() == StreamServer.ids(1...95))
        await destination.close()
        nats.server.kill()
    }

    @Test("a stream that lost everything is filled again from where the destination began")
    func lostAll() async throws {
        let nats = try StreamServer()
        let destination = try nats.destination(after: 20)
        #expect(try await destination.open() == 20)
        try nats.crash(savingTo: "empty")
        try nats.server.start()
        #expect(try await destination.open() == 20)
        #expect(Self.areAccepted(await destination.send(StreamServer.events(21...30))))
        try nats.losing(since: "empty")
        #expect(try await destination.open() == 20)
        await destination.close()
        let ignorant = try nats.destination(after: nil)
        #expect(try await ignorant.open() == nil)
        await ignorant.close()
        nats.server.kill()
    }

    @Test(
        "an older owner that was paused adds nothing of what was sent since, nor of what it had first"
    )
    func pausedOwner() async throws {
        let nats = try StreamServer()
        try await nats.makeForgetfulStream()
        let (old, idle, new) = (try nats.destination(), try nats.destination(), try nats.destination())
        #expect(try await old.open() == 0)
        #expect(Self.areAccepted(await old.send(StreamServer.events(1...5))))
        // Opened, but stopped before its first message.
        #expect(try await idle.open() == 5)
        #expect(try await new.open() == 5)
        #expect(Self.areAccepted(await new.send(StreamServer.events(6...10))))
        try await nats.forget()
        #expect(await old.send(StreamServer.events(6...9)).allSatisfy { Self.isUnavailable($0) })
        #expect(await idle.send(StreamServer.events(6...7)).allSatisfy { Self.isUnavailable($0) })
        #expect(try await nats.ids() == StreamServer.ids(1...10))
        // It is given up, and sees the truth only when it is opened again.
        #expect(await old.send(StreamServer.events(11...12)).allSatisfy { Self.isUnavailable($0) })
        #expect(Self.areAccepted(await new.send(StreamServer.events(11...15))))
        #expect(try await old.open() == 15)
        // What both send next stands there once, whoever is first.
        #expect(Self.areAccepted(await old.send(StreamServer.events(16...18))))
        #expect(Self.areAccepted(await new.send(StreamServer.events(16...18))))
        #expect(try await nats.ids() == StreamServer.ids(1...18))
        for destination in [old, idle, new] { await destination.close() }
        nats.server.kill()
    }

    @Test(
        "two owners that send and reopen at random never break the order, nor lose an event",
        arguments: 1...4 as ClosedRange<UInt64>
    )
    func twoOwners(seed: UInt64) async throws {
        var random = SeededNumbers(state: seed)
        let nats = try StreamServer()
        try await nats.makeForgetfulStream()
        let owners = [try nats.destination(), try nats.destination()]
        var next: [Int64] = [1, 1]
        for index in owners.indices { next[index] = (try await owners[index].open() ?? 0) + 1 }
        while next.allSatisfy({ $0 < 300 }) {
            let index = Int.random(in: 0...1, using: &random)
            let last = next[index] + Int64.random(in: 0...20, using: &random)
            let outcomes = await owners[index].send(StreamServer.events(next[index]...last))
            if Self.areAccepted(outcomes) {
                next[index] = last + 1
            } else {
                next[index] = (try await owners[index].open() ?? 0) + 1
            }
            if Int.random(in: 0..<8, using: &random) == 0 { try await nats.forget() }
        }
        let ids = try await nats.ids()
        #expect(ids == StreamServer.ids(1...Int64(ids.count)), "seed \(seed)")
        #expect(ids.count > 250)
        for owner in owners { await owner.close() }
        nats.server.kill()
    }

    @Test("after a restart that outlasts the duplicate window the chain goes on")
    func longRestart() async throws {
        let nats = try StreamServer()
        try await nats.makeForgetfulStream()
        let destination = try nats.destination()
        _ = try await destination.open()
        #expect(Self.areAccepted(await destination.send(StreamServer.events(1...5))))
        try await nats.forget()
        nats.server.kill()
        try nats.server.start()
        #expect(try await destination.open() == 5)
        #expect(Self.areAccepted(await destination.send(StreamServer.events(6...9))))
        #expect(try await nats.ids() == StreamServer.ids(1...9))
        await destination.close()
        nats.server.kill()
    }

    @Test("replays join the chain under ids of their own and do not move its position, also when both are sent at once")
    func replays() async throws {
        let nats = try StreamServer()
        let destination = try nats.destination()
        _ = try await destination.open()
        #expect(Self.areAccepted(await destination.send(StreamServer.events(1...20))))
        let again = (3...9).map { StreamServer.event($0, replay: 1) }
        async let replayed = destination.send(again)
        async let live = destination.send(StreamServer.events(21...30))
        #expect(Self.areAccepted(await replayed))
        #expect(Self.areAccepted(await live))
        #expect(Self.areAccepted(await destination.send([StreamServer.event(10, replay: 1)])))
        #expect(try await destination.open() == 30)
        let ids = try await nats.ids()
        #expect(ids.filter { !$0.contains("-") } == StreamServer.ids(1...30))
        #expect(ids.filter { $0.contains("-") } == (3...10).map { "\($0)-r1" })
        await destination.close()
        nats.server.kill()
    }

    @Test("a stream that others write to, or that holds another log, is not written to")
    func foreign() async throws {
        let nats = try StreamServer()
        let destination = try nats.destination()
        _ = try await destination.open()
        #expect(Self.areAccepted(await destination.send(StreamServer.events(1...3))))
        #expect(try await destination.open() == 3)
        let other = [StreamServer.event(4, log: "4567cdef")]
        #expect(await destination.send(other).allSatisfy { Self.isUnavailable($0) })
        #expect(try await nats.ids() == StreamServer.ids(1...3))
        try await nats.withClient { client in
            let message = OutgoingMessage(subject: "products.1.fetched", payload: Array("{}".utf8))
            let outcomes = await client.publish([message])
            let sequence = try outcomes.first?.get().sequence
            #expect(sequence == 4)
        }
        await #expect(throws: DestinationError.self) { try await destination.open() }
        nats.server.kill()
    }

    @Test("a stream that another destination has filled is not this one's, whatever it holds")
    func otherDestination() async throws {
        let nats = try StreamServer()
        let narrow = try nats.destination(1)
        _ = try await narrow.open()
        #expect(Self.areAccepted(await narrow.send([StreamServer.event(3), StreamServer.event(9)])))
        await narrow.close()
        let error = await #expect(throws: DestinationError.self) { try await nats.destination(2).open() }
        #expect(error?.description.contains("another destination") == true)
        #expect(error?.description.contains("0123abcd/1/") == true)
        #expect(try nats.connectionCount == 0)
        nats.server.kill()
    }

    @Test("what a stream holds under another filter tells nothing of the present one")
    func changedFilter() async throws {
        let nats = try StreamServer()
        let narrow = try nats.destination(types: [.created])
        _ = try await narrow.open()
        #expect(Self.areAccepted(await narrow.send([StreamServer.event(3), StreamServer.event(9)])))
        await narrow.close()
        // 9 was not written down: the change counts from 5.
        let wide = try nats.destination { $0.selectedAfter = 5 }
        #expect(try await wide.open() == 5)
        #expect(Self.areAccepted(await wide.send(StreamServer.events(6...12))))
        #expect(try await nats.ids() == ["3", "9", "6", "7", "8", "10", "11", "12"])
        await wide.close()
        #expect(try await wide.open() == 12)
        await wide.close()
        // The old filter once more is not what it was.
        let again = try nats.destination(types: [.created]) { $0.selectedAfter = 20 }
        #expect(try await again.open() == 20)
        await again.close()
        nats.server.kill()
    }

    @Test("messages of a changed filter that a crash took are sent again, and none from before the change")
    func lossAfterChange() async throws {
        let nats = try StreamServer()
        let narrow = try nats.destination(types: [.created])
        _ = try await narrow.open()
        #expect(Self.areAccepted(await narrow.send([StreamServer.event(3)])))
        await narrow.close()
        try nats.crash(savingTo: "earlier")
        try nats.server.start()
        let wide = try nats.destination { $0.selectedAfter = 7 }
        #expect(try await wide.open() == 7)
        #expect(Self.areAccepted(await wide.send(StreamServer.events(8...12))))
        try nats.losing(since: "earlier")
        #expect(try await wide.open() == 7)
        #expect(Self.areAccepted(await wide.send(StreamServer.events(8...14))))
        #expect(try await nats.ids() == ["3"] + StreamServer.ids(8...14))
        await wide.close()
        nats.server.kill()
    }

    @Test("messages that are there already, with others behind them, stop nothing: the next follows the last")
    func duplicates() async throws {
        let nats = try StreamServer()
        let destination = try nats.destination()
        _ = try await destination.open()
        #expect(Self.areAccepted(await destination.send(StreamServer.events(1...10))))
        #expect(Self.areAccepted(await destination.send([1, 2, 4].map { StreamServer.event($0, replay: 1) })))
        #expect(Self.areAccepted(await destination.send(StreamServer.events(11...12))))
        // The next owner knows nothing of the replay's messages.
        let next = try nats.destination()
        #expect(try await next.open() == 12)
        #expect(Self.areAccepted(await next.send((1...6).map { StreamServer.event($0, replay: 1) })))
        #expect(Self.areAccepted(await next.send(StreamServer.events(13...14))))
        #expect(
            try await nats.ids().suffix(10) == [
                "1-r1", "2-r1", "4-r1", "11", "12", "3-r1", "5-r1", "6-r1", "13", "14",
            ]
        )
        for destination in [destination, next] { await destination.close() }
        nats.server.kill()
    }

    @Test("what a stream held before it was emptied does not count as sent")
    func emptied() async throws {
        let nats = try StreamServer()
        let destination = try nats.destination()
        _ = try await destination.open()
        #expect(Self.areAccepted(await destination.send(StreamServer.events(1...5))))
        try await nats.withClient { client in
            _ = try await client.connection.request(OutgoingMessage(subject: "$JS.API.STREAM.PURGE.PRODUCTS"))
        }
        #expect(try await destination.open() == nil)
        #expect(await destination.send(StreamServer.events(4...6)).allSatisfy { Self.isUnavailable($0) })
        #expect(try await nats.ids().isEmpty)
        #expect(try await destination.open() == nil)
        #expect(Self.areAccepted(await destination.send(StreamServer.events(6...9))))
        #expect(try await nats.ids() == StreamServer.ids(6...9))
        await destination.close()
        nats.server.kill()
    }

    @Test("an event that is too long for the server is refused; those before it are sent, those behind it wait")
    func tooLong() async throws {
        let nats = try StreamServer(options: "max_payload: 65536")
        await #expect(throws: DestinationError.self) { try await nats.destination().open() }
        let destination = try nats.destination(requiredPayloadBytes: 32_768)
        _ = try await destination.open()
        let events = [1, 2, 3, 4].map { StreamServer.event($0, padding: $0 == 3 ? 65_536 : 0) }
        let outcomes = await destination.send(events)
        #expect(outcomes.prefix(2) == [.accepted, .accepted])
        guard case .refused(let reason) = outcomes[2], case .retry(let wait, _) = outcomes[3] else {
            return #expect(Bool(false), "\(outcomes)")
        }
        #expect(reason.contains("64512") && wait.contains(reason))
        // An operator gives it up.
        #expect(Self.areAccepted(await destination.send([events[3]])))
        #expect(try await nats.ids() == ["1", "2", "4"])
        await destination.close()
        nats.server.kill()
    }

    @Test("the server that answered last is asked first by the next owner")
    func lastServer() async throws {
        let (nats, other) = (try StreamServer(), try StreamServer())
        other.server.kill()
        let servers = JetStreamServers()
        func open() async throws {
            let urls = [other.server.url, nats.server.url]
            let destination = try nats.destination(servers: servers) { $0.servers = urls }
            _ = try await destination.open()
            await destination.close()
        }
        try await open()
        try other.server.start()
        try await open()
        #expect(try await other.withClient { try await $0.stream("PRODUCTS") } == nil)
        nats.server.kill()
        other.server.kill()
    }

    @Test("opening and sending end at once when they are cancelled", .timeLimit(.minutes(1)))
    func cancelled() async throws {
        let (nats, silent) = (try StreamServer(), try StreamServer())
        silent.server.pause()
        let opening = Task { [destination = try silent.destination(requestTimeout: .seconds(300))] in
            try await destination.open()
        }
        opening.cancel()
        await #expect(throws: DestinationError.self) { try await opening.value }
        let destination = try nats.destination(requestTimeout: .seconds(300))
        _ = try await destination.open()
        nats.server.pause()
        let sending = (1...2).map { number in
            Task { await destination.send([StreamServer.event(Int64(number))]) }
        }
        for task in sending { task.cancel() }
        for task in sending { #expect(await task.value.allSatisfy { Self.isUnavailable($0) }) }
        #expect(await destination.isBroken)
        nats.server.kill()
        silent.server.kill()
    }

    @Test("a server that is away is told as such, and nothing is sent before it was opened")
    func away() async throws {
        let nats = try StreamServer()
        let destination = try nats.destination()
        #expect(await destination.send(StreamServer.events(1...2)).allSatisfy { Self.isUnavailable($0) })
        nats.server.kill()
        await #expect(throws: DestinationError.self) { try await destination.open() }
        try nats.server.start()
        #expect(try await destination.open() == 0)
        await destination.close()
        nats.server.kill()
    }

    @Test("a configuration says what is wrong with it, and comes back from its JSON")
    func configuration() throws {
        var configuration = JetStreamConfiguration(servers: ["nats://a", "tls://b:5222"], stream: "P")
        configuration.maxAgeSeconds = 604_800
        configuration.user = "ana"
        configuration.passwordFile = "/etc/secret"
        configuration.after = 12
        configuration.selectedAfter = 15
        #expect(configuration.fault == nil)
        #expect(try JetStreamConfiguration(json: configuration.json) == configuration)
        func fault(_ change: (inout JetStreamConfiguration) -> Void) -> String? {
            var changed = configuration
            change(&changed)
            return changed.fault
        }
        #expect(fault { $0.servers = [] } != nil)
        #expect(fault { $0.servers = ["nats://ana:pw@a"] } != nil)
        #expect(fault { $0.stream = "a.b" } != nil)
        #expect(fault { $0.subjectPrefix = "a.>" } != nil)
        #expect(fault { $0.subjectPrefix = "$JS.API" } != nil)
        #expect(fault { $0.replicas = 0 } != nil)
        #expect(fault { $0.duplicateWindowSeconds = 0 } != nil)
        #expect(fault { $0.maxAgeSeconds = 5 } != nil)
        #expect(fault { $0.passwordFile = nil } != nil)
        #expect(fault { $0.tokenFile = "t" } != nil)
        #expect(fault { $0.after = -1 } != nil)
        #expect(fault { $0.selectedAfter = -1 } != nil)
    }
}

/// SplitMix64: the same seed gives the same run.
private struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}
