import Catalog
import EmbeddedPostgres
import EventLog
import LibPQ
import Synchronization
import Testing

@testable import Delivery

/// Who may send and who may write, when owners come and go.
@Suite(.serialized)
struct RelayTakeoverTests {
    @Test func `another process goes on within seconds when the owner is gone, without a gap or a wrong order`()
        async throws
    {
        // Answers are lost now and then, so that what the dead owner sent is not known by it either.
        let queue = try FaultyQueue(FaultyQueue.Faults(request: { $0.isMultiple(of: 9) ? .lostAnswer : nil }))
        defer { queue.stop() }
        try await TestRelay.run { test in
            try await test.add("aws", queue.url)
            let first = Task { try await test.relays(owner: "one").run() }
            try await test.wait("the first owns it") { try test.status("aws").owner == "one" }
            let second = Task { try await test.relays(owner: "two").run() }
            let load = Task { try await test.fill(products: 6, fetches: 60) }
            try await test.wait("some is sent") { queue.accepted.count > 40 }
            first.cancel()
            let start = ContinuousClock.now
            try await test.wait("the second owns it") { try test.status("aws").owner == "two" }
            #expect(ContinuousClock.now - start < .seconds(6))
            try await load.value
            try await test.caughtUp("aws")
            second.cancel()
            _ = await (first.result, second.result)
            let order = Dictionary(grouping: queue.accepted, by: \.group).mapValues { $0.map(\.deduplicationID) }
            let expected = Dictionary(grouping: try test.events(), by: \.group).mapValues {
                $0.map { "\($0.position)" }
            }
            #expect(order == expected)
        }
    }

    @Test func `an owner that was deposed can neither move the cursor nor keep its lease`() async throws {
        try await TestRelay.run { test in
            try await test.add("aws", "http://127.0.0.1:9/1/products.fifo")
            try await test.fill(products: 1, fetches: 3)
            let pool = Pool(
                configuration: TestRelay.connection(test.address.servingConnectionString),
                limits: Pool.Limits(size: 1),
                logger: TestRelay.logger
            )
            let id = try test.status("aws").destination.id
            let store = RelayStore(destination: id, pool: pool, identity: test.log.identity)
            let old = try #require(try await store.take(owner: "old", lease: .seconds(60)))
            #expect(try await store.take(owner: "new", lease: .seconds(60)) == nil)
            #expect(try await store.keep(old.epoch, owner: "old", lease: .zero)?.revision == 1)
            let new = try #require(try await store.take(owner: "new", lease: .seconds(60)))
            #expect(new.epoch == old.epoch + 1)
            #expect(try await store.keep(old.epoch, owner: "old", lease: .seconds(60)) == nil)
            let journal = RelayJournal(cursor: 3, holds: [RelayHold(group: 1, from: 2, isParked: true)])
            await #expect(throws: PostgresError.self) { try await store.save(journal, replay: 0, epoch: old.epoch) }
            #expect(try test.status("aws").cursor == 0)
            #expect(try test.status("aws").heldProducts == 0)
            try await store.save(journal, replay: 0, epoch: new.epoch)
            try await store.save(RelayJournal(cursor: 2), replay: 0, epoch: new.epoch)
            #expect(try test.status("aws").cursor == 3)
            #expect(try test.status("aws").heldProducts == 1)
            await pool.shutdown()
        }
    }

    /// Notes what it is asked to send, and takes its time.
    private final class SlowDestination: Destination {
        let sent = Mutex<[(ContinuousClock.Instant, Int)]>([])
        let batchLimit = 10
        let batchGroupLimit = 1
        let batchBytes = 1 << 20
        func open() async throws(DestinationError) -> Int64? { nil }
        func close() async {}
        func send(_ messages: [OutgoingEvent], _ permit: SendPermit) async -> [SendOutcome] {
            sent.withLock { $0.append((.now, messages.count)) }
            try? await Task.sleep(for: .milliseconds(30))
            return messages.map { _ in .accepted }
        }
    }

    @Test func `an owner that cannot renew its lease sends nothing once it is over`() async throws {
        try await TestRelay.run { test in
            try await test.add("aws", "http://127.0.0.1:9/1/products.fifo")
            try await test.fill(products: 1, fetches: 200)
            let slow = SlowDestination()
            let relays = test.relays { settings in
                settings.lease = .milliseconds(600)
                settings.renewal = .seconds(3_600)
                settings.standby = .seconds(3_600)
                settings.reopening = .seconds(3_600)
                settings.longestPause = .seconds(3_600)
            } open: { _ throws(DestinationError) in
                slow
            }
            let start = ContinuousClock.now
            let running = Task { try await relays.run() }
            try await Task.sleep(for: .seconds(3))
            running.cancel()
            _ = await running.result
            let times = slow.sent.withLock { $0.map { $0.0 - start } }
            #expect(!times.isEmpty)
            #expect(times.count < 60)
            let span = try #require(times.last) - (try #require(times.first))
            #expect(span < .milliseconds(700))
        }
    }

    @Test func `a lease is never shortened by an answer that comes late`() {
        let lease = RelayLease(until: .now + .seconds(10))
        lease.renew(until: .now - .seconds(1))
        #expect(!lease.isOver)
        #expect(RelayLease(until: .now - .milliseconds(1)).isOver)
    }
}
