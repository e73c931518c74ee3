import Catalog
import LibPQ
import Synchronization
import Testing

@testable import EventLog

@Suite("A committer whose connection is cut")
struct LostConnectionTests {
    private static let workers = 12
    private static let steps = 25

    @Test("a writer whose row was removed registers anew, and no submission waits for ever")
    func lostWriter() async throws {
        try await TestLog.run { test in
            let product = try await test.create("A")
            try test.asOwner { try $0.execute("delete from batches; delete from writers") }
            for _ in 0..<3 {
                let fetched = try await test.submit(.fetch(product.id))
                #expect(fetched.product == product)
            }
            try test.checkLog()
        }
    }

    @Test("repeats or finds again what it had underway: each acknowledged submission has exactly its events")
    func terminatedUnderLoad() async throws {
        try await TestLog.run { test in
            let shared = try await test.create("shared").id
            let end = End()
            let (answers, cuts) = try await withThrowingTaskGroup(of: Report.self) { group in
                group.addTask { Report(cuts: try await Self.cut(test, until: end)) }
                for worker in 0..<Self.workers {
                    group.addTask { Report(answers: try await Self.load(test, worker: worker, shared: shared)) }
                }
                var (answers, cuts): ([String: Answered], Int) = ([:], 0)
                for _ in 0..<Self.workers {
                    guard let report = try await group.next() else { break }
                    answers.merge(report.answers) { first, _ in first }
                    cuts += report.cuts
                }
                end.isReached.store(true, ordering: .releasing)
                for try await report in group {
                    answers.merge(report.answers) { first, _ in first }
                    cuts += report.cuts
                }
                return (answers, cuts)
            }
            #expect(cuts >= 5, "the connection was to be cut often")
            #expect(answers.count == Self.workers * Self.steps)
            try Self.check(answers, against: try test.events())
            try test.checkLog()
        }
    }

    private final class End: Sendable {
        let isReached = Atomic(false)
    }

    private struct Report: Sendable {
        var answers: [String: Answered] = [:]
        var cuts = 0
    }

    private enum Answered: Sendable {
        case recorded(Int64)
        case refused
        case unknown
    }

    private static func check(_ answers: [String: Answered], against events: [RecordedEvent]) throws {
        let byLabel = Dictionary(grouping: events.filter { $0.type != .userRegistered }, by: \.requestID)
        for (label, answered) in answers {
            let found = byLabel[label, default: []].map(\.position)
            switch answered {
            case .recorded(let position): #expect(found == [position], "\(label)")
            case .refused: #expect(found.isEmpty, "\(label)")
            case .unknown: #expect(found.count <= 1, "\(label)")
            }
        }
        #expect(answers.values.contains { if case .recorded = $0 { true } else { false } })
    }

    private static func load(_ test: TestLog, worker: Int, shared: ProductID) async throws -> [String: Answered] {
        var answers: [String: Answered] = [:]
        for step in 0..<steps {
            let label = "load-\(worker)-\(step)"
            let work: Work =
                switch (worker + step) % 4 {
                case 0: try TestLog.creation(label)
                case 1: try TestLog.patch(shared, #"{"name":"\#(label)"}"#)
                default: .fetch(shared)
                }
            do {
                let outcome = try await test.submit(work, label: label)
                answers[label] = outcome.position.map(Answered.recorded) ?? .refused
            } catch let error as CommitError {
                answers[label] = error == .outcomeUnknown ? .unknown : .refused
            }
        }
        return answers
    }

    /// Cuts the committer's connection each time that the log has grown a little. Answers how often.
    private static func cut(_ test: TestLog, until end: End) async throws -> Int {
        var cuts = 0
        while !end.isReached.load(ordering: .acquiring) {
            let position = test.log.lastKnownPosition
            while test.log.lastKnownPosition < position + 5, !end.isReached.load(ordering: .acquiring) {
                await Task.yield()
            }
            cuts += try test.asSuperuser { session in
                Int(
                    try session.rows(
                        """
                        select count(pg_terminate_backend(pid)) from pg_stat_activity
                        where datname = current_database() and application_name = $1::text
                        """,
                        Parameters().text(TestLog.committerName)
                    )[0].int64(0)
                )
            }
        }
        return cuts
    }
}
