import Catalog
import EventLog
import LibPQ
import Synchronization
import Testing

@testable import Delivery

/// Relays over a real log, to a queue with faults on demand.
@Suite(.serialized)
struct RelayTests {
    /// Positions that were accepted, by group, in order of acceptance.
    private static func order(_ queue: FaultyQueue) -> [String: [Int64]] {
        Dictionary(grouping: queue.accepted, by: \.group).mapValues { $0.compactMap { Int64($0.deduplicationID) } }
    }

    private static func expected(_ test: TestRelay, where isMeant: (Int64, EventType) -> Bool = { _, _ in true }) throws
        -> [String: [Int64]]
    {
        let meant = try test.events().filter { isMeant($0.position, $0.type) }
        return Dictionary(grouping: meant, by: \.group).mapValues { $0.map(\.position) }
    }

    @Test func `everything arrives in order within its product, as CloudEvents`() async throws {
        let queue = try FaultyQueue()
        defer { queue.stop() }
        try await TestRelay.run { test in
            try await test.add("aws", queue.url)
            try await TestRelay.running([test.relays()]) {
                try await test.fill(products: 8, fetches: 6)
                try await test.caughtUp("aws")
            }
            #expect(Self.order(queue) == (try Self.expected(test)))
            #expect(queue.repeated == 0)
            let message = try #require(queue.accepted.first { $0.group == "3" })
            let json = try JSONParser.parse(Array(message.body.utf8))
            #expect(json["id"] == .string(message.deduplicationID))
            #expect(json["subject"] == .string("product/3"))
            #expect(json["replay"] == nil)
            let events = try test.withSession { try RecordedEvent.read($0, after: 0, limit: 2) }
            let data = try #require(events.first { $0.type == .operated }?.data)
            #expect(try JSONParser.parse(data)["action"] == .string("destination.changed"))
        }
    }

    @Test func `a filter lets its types and products pass, and the cursor goes on over the rest`() async throws {
        let queue = try FaultyQueue()
        defer { queue.stop() }
        try await TestRelay.run { test in
            try await test.add("aws", queue.url, types: [.created], products: [2, 4])
            try await TestRelay.running([test.relays()]) {
                try await test.fill(products: 5, fetches: 3)
                try await test.caughtUp("aws")
            }
            let meant = try Self.expected(test) { _, type in type == .created }
            #expect(Self.order(queue) == meant.filter { ["2", "4"].contains($0.key) })
        }
    }

    @Test func `a refused event parks its product alone, until it is skipped or tried again`() async throws {
        let queue = try FaultyQueue()
        defer { queue.stop() }
        try await TestRelay.run { test in
            try await test.fill(products: 3, fetches: 2)
            let own = try #require(try Self.expected(test)["2"])
            let (first, second) = ("\(own[0])", "\(own[1])")
            queue.set(
                FaultyQueue.Faults(entry: { id, _ in
                    [first, second].contains(id) ? .failed(code: "InvalidMessageContents", isSenders: true) : nil
                })
            )
            try await test.add("aws", queue.url)
            try await TestRelay.running([test.relays()]) {
                try await test.wait("the others are through") {
                    try test.status("aws").behind == 0 && test.parked().count == 1
                }
                #expect(try test.parked().map(\.position) == [own[0]])
                #expect(try test.parked().first?.error.contains("InvalidMessageContents") == true)
                #expect(Self.order(queue)["2"] == nil)
                #expect(try await test.administration().skip(own[0], at: "aws", reason: "cannot be mended"))
                try await test.wait("the second is parked") { try test.parked().map(\.position) == [own[1]] }
                queue.set(FaultyQueue.Faults())
                #expect(try await test.administration().retry(own[1], at: "aws", reason: nil))
                #expect(try await !test.administration().retry(own[1], at: "aws", reason: nil))
                try await test.caughtUp("aws")
            }
            #expect(try test.parked().isEmpty)
            #expect(Self.order(queue) == (try Self.expected(test) { position, _ in position != own[0] }))
            let acts = try test.withSession { try RecordedEvent.read($0, after: 0, limit: 1_000) }
                .compactMap(\.data).map { String(decoding: $0, as: UTF8.self) }
            #expect(acts.contains { $0.contains("event.skipped") && $0.contains("cannot be mended") })
            #expect(acts.contains { $0.contains("event.retried") })
        }
    }

    @Test func `partial failures, lost answers and wrong digests leave each product's order whole`() async throws {
        let queue = try FaultyQueue(
            FaultyQueue.Faults(
                request: { number in
                    switch number % 11 {
                    case 3: .lostAnswer
                    case 6: .hangUp
                    case 9: .status(503, type: "ServiceUnavailable")
                    default: nil
                    }
                },
                entry: { id, attempt in
                    let turn = (Int(id) ?? 0) % 7
                    if turn == 2, attempt == 1 { return .failed(code: "InternalError", isSenders: false) }
                    if turn == 4, attempt < 3 { return .failed(code: "RequestThrottled", isSenders: true) }
                    return turn == 5 && attempt == 1 ? .wrongDigest : nil
                }
            )
        )
        defer { queue.stop() }
        try await TestRelay.run { test in
            try await test.add("aws", queue.url)
            try await TestRelay.running([test.relays()]) {
                try await test.fill(products: 12, fetches: 8)
                try await test.caughtUp("aws")
            }
            #expect(Self.order(queue) == (try Self.expected(test)))
            #expect(queue.repeated > 0)
            #expect(try test.parked().isEmpty)
        }
    }

    @Test func `while the queue is away nothing is lost, and few requests are made`() async throws {
        let queue = try FaultyQueue(FaultyQueue.Faults(request: { _ in .status(403, type: "AccessDenied") }))
        defer { queue.stop() }
        try await TestRelay.run { test in
            try await test.add("aws", queue.url)
            try await TestRelay.running([test.relays()]) {
                try await test.fill(products: 6, fetches: 4)
                try await test.wait("the error is told") {
                    try test.status("aws").lastError?.contains("AccessDenied") == true
                }
                #expect(queue.requests < 20)
                #expect(queue.accepted.isEmpty)
                #expect(try test.parked().isEmpty)
                queue.set(FaultyQueue.Faults())
                try await test.caughtUp("aws")
            }
            #expect(Self.order(queue) == (try Self.expected(test)))
        }
    }

    @Test func `a paused destination gets nothing, a removed one is left, and its name is free`() async throws {
        let queue = try FaultyQueue()
        defer { queue.stop() }
        try await TestRelay.run { test in
            try await test.add("aws", queue.url)
            try await TestRelay.running([test.relays()]) {
                try await test.fill(products: 2, fetches: 1)
                try await test.caughtUp("aws")
                #expect(try await test.administration().pause("aws", true))
                #expect(try await !test.administration().pause("aws", true))
                try await test.wait("the owner lets go") { try test.status("aws").owner == nil }
                let before = queue.accepted.count
                try await test.submit(.fetch(try #require(ProductID(1))))
                #expect(queue.accepted.count == before)
                #expect(try await test.administration().pause("aws", false))
                try await test.caughtUp("aws")
                #expect(try await test.administration().remove("aws"))
                #expect(try await !test.administration().remove("aws"))
                try await test.add("aws", queue.url, types: [.deleted])
                try await test.caughtUp("aws")
            }
            #expect(Set(queue.accepted.map(\.deduplicationID)).count == queue.accepted.count)
        }
    }

    @Test func `a replay is marked, has ids of its own, and leaves the live cursor alone`() async throws {
        let queue = try FaultyQueue()
        defer { queue.stop() }
        try await TestRelay.run { test in
            try await test.add("aws", queue.url)
            try await TestRelay.running([test.relays()]) {
                try await test.fill(products: 3, fetches: 3)
                try await test.caughtUp("aws")
            }
            let end = try #require(try test.events().last?.position)
            let range = ReplayRange(from: 1, to: end, product: nil, types: [EventType.fetched.rawValue])
            let replay = DestinationReplay(destination: "aws", range: range)
            let context = try #require(RequestContext.commandLine(role: "operator"))
            let number = try #require(try await replay.start(test.log, context: context))
            // A first process may begin with it; another ends it.
            try await TestRelay.running([test.relays(owner: "one")]) {}
            try await TestRelay.running([test.relays(owner: "two")]) {
                try await test.wait("the replay ends") {
                    try test.withSession { try DestinationReplay.progress(number, $0).isFinished }
                }
                try await test.caughtUp("aws")
            }
            try Self.check(queue, try test.events().filter { $0.type == .fetched && $0.position <= end }, number)
            let live = queue.accepted.filter { !$0.deduplicationID.contains("-r") }
            #expect(live.count == (try test.events().count))
        }
    }

    @Test func `replays that wait for an operator keep no other one waiting`() async throws {
        let queue = try FaultyQueue()
        defer { queue.stop() }
        try await TestRelay.run { test in
            try await test.add("aws", queue.url)
            let context = try #require(RequestContext.commandLine(role: "operator"))
            try await TestRelay.running([test.relays { $0.replayLimit = 2 }]) {
                try await test.fill(products: 2, fetches: 1)
                try await test.caughtUp("aws")
                let end = try #require(try test.events().last?.position)
                let range = ReplayRange(from: 1, to: end, product: 1, types: [])
                let replay = DestinationReplay(destination: "aws", range: range)
                var numbers: [Int32] = []
                for _ in 0..<3 { numbers.append(try #require(try await replay.start(test.log, context: context))) }
                let refused = numbers.prefix(2).map { "-r\($0)" }
                queue.set(
                    FaultyQueue.Faults(entry: { id, _ in
                        refused.contains { id.hasSuffix($0) } ? .failed(code: "Poison", isSenders: true) : nil
                    })
                )
                try await test.wait("the third replay ends") {
                    try test.withSession { try DestinationReplay.progress(numbers[2], $0).isFinished }
                }
                try await test.wait("the others are parked") {
                    try test.parked().compactMap(\.replay).sorted() == Array(numbers.prefix(2))
                }
                // Removed meanwhile, they are not said to be delivered.
                let rest = DestinationReplay(
                    destination: "aws",
                    range: ReplayRange(from: 1, to: end, product: 2, types: [])
                )
                queue.set(FaultyQueue.Faults(request: { _ in .status(503, type: "ServiceUnavailable") }))
                let late = try #require(try await rest.start(test.log, context: context))
                #expect(try await test.administration().remove("aws"))
                #expect(try test.withSession { try DestinationReplay.progress(late, $0).isAbandoned })
            }
        }
    }

    private static func check(
        _ queue: FaultyQueue,
        _ fetched: [(position: Int64, group: String, type: EventType)],
        _ number: Int32
    ) throws {
        let replayed = queue.accepted.filter { $0.deduplicationID.hasSuffix("-r\(number)") }
        for group in ["1", "2", "3"] {
            let ids = replayed.filter { $0.group == group }.map(\.deduplicationID)
            #expect(ids == fetched.filter { $0.group == group }.map { "\($0.position)-r\(number)" })
        }
        for message in replayed {
            #expect(try JSONParser.parse(Array(message.body.utf8))["replay"] == .string("true"))
        }
    }
}
