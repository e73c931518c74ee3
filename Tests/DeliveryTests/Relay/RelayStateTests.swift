import Testing

@testable import Delivery

@Suite struct RelayStateTests {
    private typealias State = RelayState<Int64>

    @Test(arguments: [1, 3])
    func `random histories deliver everything in order within its group, across crashes`(batchGroup: Int) {
        for seed in 0..<UInt64(150) {
            var history = RelayHistory(seed: seed, batchGroup: batchGroup)
            history.run(steps: 600)
        }
    }

    private static func message(_ position: Int64, _ group: Int64, bytes: Int = 100) -> State.Message {
        State.Message(position: position, group: group, bytes: bytes, payload: position)
    }

    private static func batch(_ state: inout State, _ now: Int64) throws -> State.Batch {
        let batch = state.nextBatch(now: now)
        return try #require(batch)
    }

    private static func sends(_ state: inout State, _ now: Int64) -> Bool { state.nextBatch(now: now) != nil }

    private static func journal(_ state: inout State) throws -> RelayJournal {
        let journal = state.takeJournal()
        return try #require(journal)
    }

    @Test func `a refused message holds its own group and lets the cursor pass`() throws {
        var state = State(cursor: 0)
        state.scanned((1...6).map { Self.message($0, $0 % 2) }, through: 6)
        let batch = try Self.batch(&state, 0)
        #expect(batch.messages.map(\.position) == [1, 2])
        state.completed(batch, [.refused("too odd"), .accepted], now: 0)
        while let next = state.nextBatch(now: 0) {
            #expect(next.messages.map(\.group) == [0])
            state.completed(next, [.accepted], now: 0)
        }
        let journal = try Self.journal(&state)
        #expect(journal.cursor == 6)
        #expect(journal.parked == [RelayJournal.Parked(position: 1, group: 1, reason: "too odd")])
        #expect(journal.holds == [RelayHold(group: 1, from: 1, isParked: true)])
        let second = state.takeJournal()
        #expect(second == nil)
        #expect(state.count == 0)
    }

    @Test func `a group that fails again and again does not pin the cursor, nor memory`() throws {
        var state = State(cursor: 0)
        state.scanned((1...50).map { Self.message($0, 7) }, through: 50)
        for now in [0, 1_000_000] as [Int64] {
            let batch = try Self.batch(&state, now)
            state.completed(batch, [.retry("busy")], now: now)
        }
        #expect(state.count == 0)
        let journal = state.takeJournal()
        let hold = RelayHold(group: 7, from: 1, isParked: false, failures: 2, retryAt: 1_400_000)
        #expect(journal == RelayJournal(cursor: 50, holds: [hold]))
        let early = state.takeReadings(limit: 5, now: 1_000_001)
        #expect(early.isEmpty)
        let readings = state.takeReadings(limit: 5, now: 9_000_000)
        #expect(readings.map(\.from) == [1])
        #expect(readings.map(\.through) == [50])
    }

    @Test func `over days a group is tried ten times, then parked with the last reason`() throws {
        var limits = State.Limits()
        limits.backoff = .days
        var state = State(cursor: 0, limits: limits)
        state.scanned([Self.message(1, 7)], through: 1)
        var (now, waits) = (Int64(0), [Int64]())
        for attempt in 1...10 {
            let batch = try Self.batch(&state, now)
            state.completed(batch, [.retry("busy \(attempt)")], now: now)
            let journal = state.takeJournal()
            guard attempt < 10 else {
                #expect(journal?.parked.map(\.reason) == ["given up after 10 attempts: busy 10"])
                #expect(journal?.holds == [RelayHold(group: 7, from: 1, isParked: true)])
                break
            }
            let retryAt = try #require(state.groups[7]?.retryAt)
            waits.append((retryAt - now) / 1_000_000)
            // Another owner goes on where this one stopped, at the same time.
            if let hold = journal?.holds.first {
                #expect(hold.failures == attempt && hold.retryAt == retryAt)
                state = State(cursor: 1, holds: [hold], limits: limits)
            }
            let early = state.takeReadings(limit: 1, now: retryAt - 1)
            #expect(early.isEmpty)
            for reading in state.takeReadings(limit: 1, now: retryAt) {
                state.readBack(reading, [Self.message(1, 7)], isWhole: true)
            }
            now = retryAt
        }
        for (wait, planned) in zip(waits, [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400] as [Int64]) {
            #expect((planned...planned + planned / 10).contains(wait))
        }
        #expect(waits.count == 9)
    }

    @Test func `a destination is left alone for as long as it asks`() throws {
        var state = State(cursor: 0)
        state.scanned([Self.message(1, 1), Self.message(2, 2)], through: 2)
        let batch = try Self.batch(&state, 0)
        state.completed(batch, batch.messages.map { _ in .unavailable("busy", after: .seconds(60)) }, now: 0)
        #expect(Self.sends(&state, 59_999_999) == false)
        #expect(Self.sends(&state, 60_000_000) == true)
    }

    @Test func `while the destination is away one batch at a time asks, at growing intervals`() throws {
        var state = State(cursor: 0)
        state.scanned((1...40).map { Self.message($0, $0) }, through: 40)
        var batch = try Self.batch(&state, 0)
        state.completed(batch, batch.messages.map { _ in .unavailable("away") }, now: 0)
        #expect(Self.sends(&state, 199_999) == false)
        batch = try Self.batch(&state, 200_000)
        #expect(Self.sends(&state, 200_000) == false)
        state.completed(batch, batch.messages.map { _ in .unavailable("away") }, now: 200_000)
        #expect(Self.sends(&state, 599_999) == false)
        batch = try Self.batch(&state, 600_000)
        state.completed(batch, batch.messages.map { _ in .accepted }, now: 600_000)
        #expect(Self.sends(&state, 600_000) == true)
        #expect(Self.sends(&state, 600_000) == true)
    }

    @Test func `a destination that lost messages gets them again, and the saved cursor stays`() throws {
        var state = State(cursor: 90, holds: [RelayHold(group: 5, from: 80, isParked: true)], known: 70)
        #expect(state.scannedThrough == 70)
        state.scanned([Self.message(71, 1), Self.message(75, 5)], through: 75)
        let batch = try Self.batch(&state, 0)
        #expect(batch.messages.map(\.position) == [71])
        let journal = try Self.journal(&state)
        #expect(journal.cursor == 90)
        #expect(journal.holds == [RelayHold(group: 5, from: 71, isParked: true)])
    }

    @Test func `a batch ends at its bytes, and a message beyond them goes alone`() throws {
        var state = State(cursor: 0)
        let sizes = [600_000, 500_000, 2_000_000, 10]
        state.scanned(sizes.enumerated().map { Self.message(Int64($0 + 1), Int64($0), bytes: $1) }, through: 4)
        var sent: [[Int64]] = []
        while let batch = state.nextBatch(now: 0) {
            sent.append(batch.messages.map(\.position))
            state.completed(batch, batch.messages.map { _ in .accepted }, now: 0)
        }
        #expect(sent.flatMap(\.self).sorted() == [1, 2, 3, 4])
        #expect(sent.allSatisfy { $0 == [3] || !$0.contains(3) })
        #expect(!sent.contains { $0.contains(1) && $0.contains(2) })
        #expect(state.cursor == 4)
    }
}
