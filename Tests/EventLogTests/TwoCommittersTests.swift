import Catalog
import LibPQ
import Testing

@testable import EventLog

@Suite("Two committers on one log")
struct TwoCommittersTests {
    static let seed: UInt64 = 0x5eed_0001

    @Test("under a concurrent mixed load the log stays gapless and the projection its fold")
    func mixedLoad() async throws {
        try await TestLog.run { test in
            let other = try test.second()
            try await TestLog.running(other) {
                var products: [ProductID] = []
                for number in 0..<8 { products.append(try await test.create("shared-\(number)").id) }
                let shared = products
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for worker in 0..<16 {
                        let log = worker.isMultiple(of: 2) ? test.log : other
                        group.addTask { try await Self.work(worker, on: log, shared: shared) }
                    }
                    let recorded = try await group.reduce(0, +)
                    let acts = try test.events().filter { $0.type != .userRegistered && $0.requestID.hasPrefix("w") }
                    #expect(acts.count == recorded, "seed \(Self.seed)")
                }
            }
            await other.readers.shutdown()
            let writers = try test.asOwner { try $0.rows("select count(distinct writer_no) from batches")[0].int64(0) }
            #expect(writers == 2, "both committers were to commit")
            try test.checkLog()
        }
    }

    /// Does a seeded mix of everything; answers how many events it caused.
    private static func work(_ worker: Int, on log: EventLog, shared: [ProductID]) async throws -> Int {
        var generator = SplitMix(state: seed &+ UInt64(worker))
        var mine: [ProductID] = []
        var recorded = 0
        for step in 0..<30 {
            let label = "w\(worker)-\(step)"
            let id = (mine + shared).randomElement(using: &generator) ?? shared[0]
            let work: Work =
                switch Int.random(in: 0..<10, using: &generator) {
                case 0, 1: try TestLog.creation("c-\(worker)-\(step)")
                case 2, 3, 4: try TestLog.patch(id, #"{"name":"\#(label)"}"#)
                case 5: try TestLog.recode(id, "shared-code-\(Int.random(in: 0..<6, using: &generator))")
                case 6: .command(.delete(mine.randomElement(using: &generator) ?? id, .none))
                default: .fetch(id)
                }
            let outcome = try await log.submit(work, context: TestLog.context("user \(worker % 3)", label: label))
            if outcome.position != nil { recorded += 1 }
            if case .create = work, let product = outcome.product { mine.append(product.id) }
        }
        return recorded
    }
}

/// A small seeded generator.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
