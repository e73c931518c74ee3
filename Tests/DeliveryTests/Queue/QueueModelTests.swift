import Testing

@testable import Delivery

struct QueueModelTests {
    static let seeds: ClosedRange<UInt64> = 1...400

    @Test func randomHistoriesWithCrashesFollowTheFIFORule() {
        var tally = QueueHistory.Tally()
        for seed in Self.seeds {
            var history = QueueHistory(seed: seed)
            do {
                try history.run()
            } catch {
                Issue.record("seed \(seed), step \(history.step): \(error)")
                return
            }
            tally.given += history.tally.given
            tally.givenAgain += history.tally.givenAgain
            tally.expiredHandles += history.tally.expiredHandles
            tally.deadLetters += history.tally.deadLetters
            tally.crashes += history.tally.crashes
            tally.pendingRows += history.tally.pendingRows
            tally.refills += history.tally.refills
        }
        // The histories reach what they are meant to judge.
        let reached = [
            tally.given, tally.givenAgain, tally.expiredHandles, tally.deadLetters, tally.crashes, tally.pendingRows,
            tally.refills,
        ]
        #expect(reached.allSatisfy { $0 > 500 }, "\(tally)")
    }
}
