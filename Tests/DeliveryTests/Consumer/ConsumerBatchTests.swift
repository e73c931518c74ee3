import Testing

@testable import Delivery

/// Which messages are applied together, and what becomes of those that share a batch with one that cannot be.
struct ConsumerBatchTests {
    private typealias Message = ConsumerBatch.Message

    private static func message(_ position: Int64, _ group: Int64, receives: Int = 1, source: Int32 = 0) -> Message {
        let receipt = ReceiptHandle(lease: 1, index: 0, group: group, position: position)
        return Message(
            handle: QueueHandle(source: source, receipt: receipt),
            position: position,
            receiveCount: receives
        )
    }

    /// What a batch came to.
    private struct Outcome {
        var applied: [Int64] = []
        var failed: [Int64] = []
        var delays: [Duration] = []
        var givenBack: [Int64] = []
        var transactions = 0
    }

    /// Works through a batch; `endsAfter` transactions the database is away.
    private static func work(_ messages: [Message], poison: Set<Int64>, endsAfter limit: Int = .max) -> Outcome {
        var batch = ConsumerBatch(messages, retry: RetryDelay())
        var outcome = Outcome()
        while let part = batch.next() {
            guard outcome.transactions < limit else {
                batch.giveUp(part)
                continue
            }
            outcome.transactions += 1
            if poison.isDisjoint(with: part.map(\.position)) {
                batch.succeed(part)
                outcome.applied += part.map(\.position)
            } else {
                batch.fail(part, reason: "poison")
            }
        }
        let settlement = batch.takeSettlement()
        #expect(settlement.applied.map(\.receipt.position) == outcome.applied)
        outcome.failed = settlement.failures.map(\.position)
        for change in settlement.changes {
            if change.isGivenBack {
                outcome.givenBack.append(change.handle.receipt.position)
            } else {
                outcome.delays.append(change.timeout)
            }
        }
        return outcome
    }

    @Test func `a batch of which all can be applied is one transaction, in the log's order`() {
        let outcome = Self.work([Self.message(3, 1), Self.message(4, 1), Self.message(2, 2)], poison: [])
        #expect(outcome.applied == [2, 3, 4])
        #expect(outcome.transactions == 1)
    }

    @Test func `one that cannot be applied is found; what follows it in its product is given back untried`() {
        let messages = (Int64(1)...200).map { Self.message($0, $0 % 20) }
        let outcome = Self.work(messages, poison: [47])
        let later = (Int64(48)...200).filter { $0 % 20 == 7 }
        #expect(outcome.failed == [47] && outcome.delays == [.seconds(1)])
        #expect(outcome.givenBack.sorted() == later)
        #expect(outcome.applied.sorted() == (Int64(1)...200).filter { $0 != 47 && !later.contains($0) })
        #expect(outcome.transactions <= 17)
    }

    @Test func `a product that failed before goes by itself, so that the others do not pay again`() {
        let messages = (Int64(1)...100).map { Self.message($0, $0 % 50, receives: $0 == 9 ? 4 : 1) }
        let outcome = Self.work(messages, poison: [9])
        #expect(outcome.transactions == 3)
        #expect(outcome.delays == [.seconds(8)])
        #expect(outcome.givenBack == [59])
    }

    @Test func `what was moved back holds no later event of its product back`() {
        let outcome = Self.work([Self.message(3, 1, source: -1), Self.message(9, 1)], poison: [3])
        #expect(outcome.failed == [3] && outcome.applied == [9] && outcome.givenBack.isEmpty)
    }

    @Test func `when the database is away all that was not applied is given back`() {
        let messages = (Int64(1)...16).map { Self.message($0, $0) }
        let outcome = Self.work(messages, poison: [1], endsAfter: 5)
        #expect(outcome.failed == [1])
        #expect((outcome.applied + outcome.givenBack).sorted() == Array(2...16))
    }

    @Test func `a message that fails again and again waits twice as long each time, a minute at most`() {
        let retry = RetryDelay()
        #expect((1...9).map { retry.after(receives: $0) } == [1, 2, 4, 8, 16, 32, 60, 60, 60].map { .seconds($0) })
        #expect(retry.after(receives: .max) == .seconds(60))
        #expect(retry.after(receives: 0) == .seconds(1))
    }

    @Test(arguments: UInt64(1)...200)
    func `in random batches only poison fails, and nothing passes it in its product`(seed: UInt64) {
        var random = HistoryGenerator(seed: seed)
        let groups = random.number(1...8)
        let messages = (1...random.number(1...60)).map { position in
            Self.message(Int64(position), Int64(random.number(1...groups)), receives: random.number(1...3))
        }
        let poison = Set(messages.map(\.position).filter { _ in random.once(in: 12) })
        let outcome = Self.work(messages, poison: poison)
        var (applied, failed, givenBack): ([Int64], [Int64], [Int64]) = ([], [], [])
        for (_, lane) in Dictionary(grouping: messages, by: \.handle.receipt.group) {
            let positions = lane.map(\.position)
            let first = positions.firstIndex { poison.contains($0) } ?? positions.count
            applied += positions[..<first]
            failed += positions[first...].prefix(1)
            givenBack += positions[first...].dropFirst()
            let order = outcome.applied.filter { positions.contains($0) }
            #expect(order == order.sorted(), "seed \(seed)")
        }
        #expect(outcome.applied.sorted() == applied.sorted(), "seed \(seed)")
        #expect(outcome.failed.sorted() == failed.sorted(), "seed \(seed)")
        #expect(outcome.givenBack.sorted() == givenBack.sorted(), "seed \(seed)")
    }

    @Test func `a product is in one worker's hands at a time`() {
        let ledger = ConsumerLedger()
        #expect(ledger.claim([1, 2]) == [1, 2])
        #expect(ledger.claim([2, 3]) == [3])
        ledger.release([1, 2])
        #expect(ledger.claim([2, 3]) == [2])
    }
}
