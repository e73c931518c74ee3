import Testing

@testable import Delivery

/// Messages that were received and given back untried.
struct GiveBackTests {
    private static let timeout: Int64 = 30_000_000

    private static func queue(_ groups: Int64..., maxReceiveCount: Int? = nil) -> QueueState {
        var queue = QueueState(maxReceiveCount: maxReceiveCount, now: 0)
        for (index, group) in groups.enumerated() { queue.scanned(position: Int64(index + 1), group: group) }
        return queue
    }

    @Test func `what is given back comes at once, and its receive does not count`() {
        var queue = Self.queue(7, 7)
        for _ in 0..<5 {
            let given = queue.receive(max: 10, visibilityTimeout: Self.timeout, now: 1)
            #expect(given.map(\.receiveCount) == [1, 1])
            for message in given { #expect(queue.giveBack(message.handle, now: 1) == .done) }
        }
    }

    @Test func `giving back twice counts once`() {
        var queue = Self.queue(7)
        _ = queue.receive(max: 1, visibilityTimeout: 0, now: 1)
        let given = queue.receive(max: 1, visibilityTimeout: Self.timeout, now: 1)
        #expect(given.map(\.receiveCount) == [2])
        for _ in 0..<2 { #expect(queue.giveBack(given[0].handle, now: 1) == .done) }
        #expect(queue.receive(max: 1, visibilityTimeout: Self.timeout, now: 1).map(\.receiveCount) == [2])
    }

    @Test func `late is early enough, as long as nobody else was given it`() {
        var queue = Self.queue(7)
        let given = queue.receive(max: 1, visibilityTimeout: Self.timeout, now: 0)
        #expect(queue.giveBack(given[0].handle, now: Self.timeout + 5) == .done)
        let again = queue.receive(max: 1, visibilityTimeout: Self.timeout, now: Self.timeout + 5)
        #expect(again.map(\.receiveCount) == [1])
        #expect(queue.giveBack(given[0].handle, now: Self.timeout + 5) == .expired)
        #expect(queue.delete(again[0].handle, now: Self.timeout + 6) == .done)
        #expect(queue.giveBack(again[0].handle, now: Self.timeout + 6) == .unknown)
    }

    @Test func `those that wait behind a failing message do not die with it`() {
        var queue = Self.queue(7, 7, 7, maxReceiveCount: 3)
        for round in Int64(0)..<3 {
            let given = queue.receive(max: 10, visibilityTimeout: Self.timeout, now: round * 1_000)
            #expect(given.map(\.receiveCount) == [Int(round) + 1, 1, 1])
            #expect(queue.changeVisibility(given[0].handle, visibilityTimeout: 1_000, now: round * 1_000) == .done)
            for message in given.dropFirst() { #expect(queue.giveBack(message.handle, now: round * 1_000) == .done) }
            #expect(queue.receive(max: 10, visibilityTimeout: Self.timeout, now: round * 1_000 + 1) == [])
        }
        #expect(queue.receive(max: 10, visibilityTimeout: Self.timeout, now: 3_000).map(\.handle.position) == [2, 3])
        #expect(queue.flush().deadLetters.map(\.position) == [1])
    }

    @Test func `an owner that takes over knows what was given back`() throws {
        var database = JournalDouble()
        _ = database.takeOver()
        var queue = Self.queue(7)
        _ = database.append(group: 7)
        let given = queue.receive(max: 1, visibilityTimeout: Self.timeout, now: 1)
        #expect(try database.commit(queue.flush(), epoch: database.epoch))
        #expect(queue.giveBack(given[0].handle, now: 2) == .done)
        #expect(try database.commit(queue.flush(), epoch: database.epoch))
        var next = database.recoveredState(settings: queue.settings, maxReceiveCount: nil, now: 3)
        #expect(next.giveBack(given[0].handle, now: 3) == .done)
        #expect(next.receive(max: 1, visibilityTimeout: Self.timeout, now: 3).map(\.receiveCount) == [1])
    }
}
