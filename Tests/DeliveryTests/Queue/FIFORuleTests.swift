import Testing

@testable import Delivery

/// The rule and its cases: a group yields its messages in order, up to but not including the first invisible one.
struct FIFORuleTests {
    private static let second: Int64 = 1_000_000
    private static let shoes: Int64 = 7
    private static let hats: Int64 = 8

    private var queue = QueueState(maxReceiveCount: nil, now: 0)

    private mutating func send(_ count: Int = 1, to group: Int64 = shoes) {
        for _ in 0..<count { queue.scanned(position: queue.scannedThrough + 1, group: group) }
    }

    private mutating func receive(
        _ max: Int = 10,
        seconds: Int64 = 30,
        at now: Int64 = 0
    ) -> [QueueState.ReceivedMessage] {
        defer { _ = queue.flush() }
        return queue.receive(max: max, visibilityTimeout: seconds * Self.second, now: now * Self.second)
    }

    private mutating func receivePositions(_ max: Int = 10, seconds: Int64 = 30, at now: Int64 = 0) -> [Int64] {
        receive(max, seconds: seconds, at: now).map(\.handle.position)
    }

    @Test mutating func aMessageMadeVisibleComesAgainButNotWhatLiesBehindTheNextInFlight() {
        send(3)
        let given = receive(2)
        #expect(queue.changeVisibility(given[0].handle, visibilityTimeout: 0, now: 0) == .done)
        #expect(receivePositions() == [1])
    }

    @Test mutating func aGroupStaysBlockedWhileALaterMessageIsInFlight() {
        send(3)
        let given = receive(2)
        #expect(queue.delete(given[0].handle, now: 0) == .done)
        #expect(receivePositions() == [])
        #expect(queue.delete(given[1].handle, now: 0) == .done)
        #expect(receivePositions() == [3])
    }

    @Test mutating func onlyWhatLiesBeforeAnExtendedMessageComesWhenTheRestExpires() {
        send(3)
        let given = receive(3)
        let extended = queue.changeVisibility(given[1].handle, visibilityTimeout: 600 * Self.second, now: 0)
        #expect(extended == .done)
        #expect(receivePositions(at: 31) == [1])
    }

    @Test mutating func aSendToABlockedGroupNeitherUnblocksItNorResetsItsTimer() {
        send()
        #expect(receivePositions() == [1])
        let timer = queue.nextTimer
        send(5)
        #expect(queue.nextTimer == timer)
        #expect(queue.readyCount == 0)
        #expect(receivePositions(at: 29) == [])
        #expect(receivePositions(at: 30) == [1, 2, 3, 4, 5, 6])
    }

    @Test mutating func deletingTheLastMessageInFlightMakesTheGroupReadyAtOnce() {
        send(2)
        let given = receive(1)
        #expect(queue.readyCount == 0)
        #expect(queue.delete(given[0].handle, now: 1) == .done)
        #expect(queue.readyCount == 1)
    }

    @Test mutating func visibilityZeroMakesTheGroupReadyAtOnce() {
        send()
        let given = receive()
        #expect(queue.changeVisibility(given[0].handle, visibilityTimeout: 0, now: 1) == .done)
        #expect(queue.readyCount == 1)
    }

    @Test mutating func aSendMakesAnIdleGroupReady() {
        send()
        #expect(queue.readyCount == 1)
    }

    @Test mutating func timeMakesABlockedGroupReady() {
        send()
        _ = receive()
        #expect(queue.nextTimer == 30 * Self.second)
        queue.advance(to: 30 * Self.second)
        #expect(queue.readyCount == 1)
        #expect(queue.nextTimer == nil)
    }

    @Test mutating func anExtendedMessageIsWokenAtItsNewTime() {
        send()
        let given = receive()
        #expect(queue.changeVisibility(given[0].handle, visibilityTimeout: 90 * Self.second, now: 0) == .done)
        queue.advance(to: 30 * Self.second)
        #expect(queue.readyCount == 0)
        #expect(queue.nextTimer == 90 * Self.second)
    }

    @Test mutating func oneReceiveDrainsAGroupBeforeItStartsTheNext() {
        for _ in 0..<3 {
            send(to: Self.shoes)
            send(to: Self.hats)
        }
        let given = receive(4)
        #expect(given.map(\.handle.group) == [Self.shoes, Self.shoes, Self.shoes, Self.hats])
        #expect(given.map(\.handle.position) == [1, 3, 5, 2])
    }

    @Test mutating func theReceiveAfterTheLastAllowedOneDeadLettersTheMessageAndTheGroupGoesOn() {
        queue.maxReceiveCount = 2
        send(2)
        #expect(receive(1).map(\.receiveCount) == [1])
        #expect(receive(1, at: 30).map(\.receiveCount) == [2])
        let given = queue.receive(max: 10, visibilityTimeout: 30 * Self.second, now: 60 * Self.second)
        #expect(given.map(\.handle.position) == [2])
        let journal = queue.flush()
        #expect(
            journal.deadLetters == [QueueJournal.DeadLetter(group: Self.shoes, position: 1, receiveCount: 2)]
        )
        #expect(queue.counts.handedOut == 1)
    }

    @Test mutating func aGroupWhoseLastMessageIsDeadLetteredIsForgotten() {
        queue.maxReceiveCount = 1
        send()
        _ = receive()
        #expect(receivePositions(at: 30) == [])
        #expect(queue.counts == QueueState.Counts(waiting: 0, handedOut: 0, readyGroups: 0, groups: 0))
    }

    @Test mutating func zeroVisibilityNeverGivesAMessageTwiceInOneReceive() {
        send(2)
        send(to: Self.hats)
        #expect(receivePositions(seconds: 0) == [1, 2])
        #expect(receivePositions(seconds: 0) == [3])
        #expect(receivePositions(seconds: 0) == [1, 2])
    }

    @Test mutating func deletingTwiceIsFine() {
        send(2)
        let given = receive(1)
        #expect(queue.delete(given[0].handle, now: 0) == .done)
        #expect(queue.delete(given[0].handle, now: 0) == .done)
        #expect(receivePositions() == [2])
    }

    @Test mutating func anExpiredHandleDeletesNothing() {
        send()
        let given = receive()
        #expect(queue.delete(given[0].handle, now: 30 * Self.second) == .expired)
        #expect(receivePositions(at: 30) == [1])
    }

    @Test mutating func anOlderHandleOfAMessageGivenAgainIsExpired() {
        send()
        let old = receive()
        let new = receive(at: 30)
        #expect(queue.delete(old[0].handle, now: 31 * Self.second) == .expired)
        #expect(queue.changeVisibility(old[0].handle, visibilityTimeout: 0, now: 31 * Self.second) == .expired)
        #expect(queue.delete(new[0].handle, now: 31 * Self.second) == .done)
    }

    @Test mutating func theVisibilityOfADeletedMessageCannotBeChanged() {
        send()
        let given = receive()
        #expect(queue.delete(given[0].handle, now: 0) == .done)
        #expect(queue.changeVisibility(given[0].handle, visibilityTimeout: 0, now: 0) == .unknown)
    }

    @Test mutating func aHandleOfALeaseThatNeverWasIsUnknown() {
        let handle = ReceiptHandle(lease: 99, index: 0, group: Self.shoes, position: 1)
        #expect(queue.delete(handle, now: 0) == .unknown)
        #expect(queue.changeVisibility(handle, visibilityTimeout: 0, now: 0) == .unknown)
    }

    @Test mutating func oneGroupsBacklogHidesNoOtherGroupAndTakesNoMemory() {
        send(100_000, to: Self.shoes)
        send(to: Self.hats)
        let first = receive(10)
        #expect(first.allSatisfy { $0.handle.group == Self.shoes })
        #expect(receive(10).map(\.handle.group) == [Self.hats])
        #expect(queue.freshCount == 54)
        #expect(queue.counts.waiting == 99_990)
    }

    @Test mutating func theScanRestsWhileEnoughGroupsAreReady() {
        #expect(queue.wantsScan)
        for group in 1...2_000 { send(to: Int64(group)) }
        #expect(!queue.wantsScan)
        _ = receive()
        #expect(queue.wantsScan)
    }

    @Test mutating func aReceiveGivesTenAtMost() {
        send(20)
        #expect(receive(100).count == 10)
    }
}
