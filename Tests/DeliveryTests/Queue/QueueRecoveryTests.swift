import Testing

@testable import Delivery

/// What a new owner makes of the journal's rows.
struct QueueRecoveryTests {
    private static let timeout: Int64 = 30_000_000

    private var database = JournalDouble()
    private var queue = QueueState(maxReceiveCount: nil, now: 0)

    init() { _ = database.takeOver() }

    private mutating func send(_ groups: Int64...) {
        for group in groups {
            let position = database.append(group: group)
            queue.scanned(position: position, group: group)
        }
    }

    private mutating func receive(_ max: Int = 10, now: Int64 = 0) throws -> [QueueState.ReceivedMessage] {
        let given = queue.receive(max: max, visibilityTimeout: Self.timeout, now: now)
        try commit()
        return given
    }

    private mutating func commit() throws {
        #expect(try database.commit(queue.flush(), epoch: database.epoch))
    }

    private mutating func takeOver(now: Int64 = 0) {
        _ = database.takeOver()
        queue = database.recoveredState(settings: queue.settings, maxReceiveCount: queue.maxReceiveCount, now: now)
        for message in database.scan(after: queue.scannedThrough, limit: .max) {
            queue.scanned(position: message.position, group: message.group)
        }
    }

    @Test mutating func handlesOutliveTheirOwner() throws {
        send(7, 7)
        let given = try receive(1)
        takeOver()
        #expect(try receive() == [])
        #expect(queue.delete(given[0].handle, now: 1) == .done)
        #expect(try receive(now: 1).map(\.handle.position) == [2])
    }

    @Test mutating func whatWasInFlightIsVisibleAfterItsTimeout() throws {
        send(7)
        _ = try receive()
        takeOver()
        #expect(queue.nextTimer == Self.timeout)
        #expect(try receive(now: Self.timeout).map(\.receiveCount) == [2])
    }

    @Test mutating func whatWasDeletedNeverComesAgain() throws {
        send(7, 8, 7)
        for message in try receive() { #expect(queue.delete(message.handle, now: 1) == .done) }
        try commit()
        takeOver(now: 1)
        #expect(try receive(now: Self.timeout) == [])
    }

    @Test mutating func aReceiveThatWasNotCommittedNeverHappened() throws {
        send(7)
        let lost = queue.receive(max: 1, visibilityTimeout: Self.timeout, now: 0)
        #expect(lost.count == 1)
        takeOver()
        #expect(try receive().map(\.receiveCount) == [1])
    }

    @Test mutating func aLeaseNumberIsNotUsedAgain() throws {
        send(7, 7)
        let first = try receive(1)
        #expect(queue.delete(first[0].handle, now: 1) == .done)
        try commit()
        takeOver(now: 1)
        let second = try receive(1, now: 1)
        #expect(second[0].handle.lease > first[0].handle.lease)
    }

    @Test func aNewQueueBeginsAfterItsStart() {
        let queue = QueueState(maxReceiveCount: nil, start: 500, now: 0)
        #expect(queue.scannedThrough == 500)
    }

    /// The scan meets the group's first message before the refill, asked for when the scan stood below it, comes back.
    @Test func aRefillThatFindsNothingYetIsAskedForAgain() {
        let pending = QueueJournal.Pending(from: 3, group: 7)
        var queue = QueueState(maxReceiveCount: nil, pending: [pending], now: 0)
        #expect(queue.takeRefills(limit: 10).map(\.through) == [0])
        for position in Int64(1)...3 { queue.scanned(position: position, group: position == 3 ? 7 : 8) }
        queue.refilled(group: 7, messages: [])
        #expect(
            queue.takeRefills(limit: 10) == [QueueState.RefillRequest(group: 7, from: 3, through: 3, limit: 65)]
        )
        queue.refilled(group: 7, messages: [.init(position: 3)])
        let given = queue.receive(max: 10, visibilityTimeout: Self.timeout, now: 0)
        #expect(given.map(\.handle.position) == [1, 2, 3])
        #expect(queue.flush().deletedPending == [3])
    }

    @Test mutating func aGroupThatHoldsLowBackGetsAPendingRow() throws {
        send(7, 7)
        for _ in 1...10_000 { send(8) }
        _ = try receive(1)
        #expect(database.pending.isEmpty)
        var last: Int64 = 0
        while last < 8_300 {
            let given = queue.receive(max: 10, visibilityTimeout: Self.timeout, now: 1)
            try commit()
            if given.isEmpty {
                for request in queue.takeRefills(limit: 10) {
                    queue.refilled(group: request.group, messages: database.messages(request))
                }
            }
            for message in given {
                last = max(last, message.handle.position)
                #expect(queue.delete(message.handle, now: 1) == .done)
            }
        }
        #expect(database.pending == [2: 7])
    }

    @Test mutating func aPlaceThatWasKeptIsWhereTheNextOwnerBegins() throws {
        send(7)
        let given = try receive()
        queue.passed(through: 1_000_000)
        queue.keepPlace()
        try commit()
        takeOver()
        #expect(queue.scannedThrough == 1_000_000)
        #expect(queue.delete(given[0].handle, now: 1) == .done)
        queue.keepPlace()
        try commit()
        #expect(database.leases.count == 1, "the row of a receive of nothing goes with the next")
    }

    @Test mutating func aPlaceIsKeptBeforeWhatWaitsStill() throws {
        send(7, 8)
        _ = try receive(1)
        queue.passed(through: 1_000_000)
        queue.keepPlace()
        try commit()
        takeOver()
        #expect(queue.scannedThrough < 1_000_000)
        #expect(try receive(now: 1).map(\.handle.group) == [8])
    }
}
