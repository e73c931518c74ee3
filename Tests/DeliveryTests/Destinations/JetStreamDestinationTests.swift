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

    @Test("replays join the chain under ids of their own and leave alone what is held, also when both are sent at once")
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
        let other = [StreamServer.event(4, source: "//test/2/products")]
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
