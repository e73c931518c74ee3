import EventLog
import LibPQ

/// How large the tables that deliveries go through are, as ever more messages go through.
struct BenchJournal {
    struct Sample: Sendable {
        /// Messages that had gone through.
        let messages: Int
        /// Messages a second since the sample before.
        let rate: Double
        /// Of all the tables together, indexes included.
        let bytes: Int64
        /// Rows, as PostgreSQL's statistics estimate them.
        let live: Int64
        let dead: Int64

        var mebibytes: Double { Double(bytes) / Double(1 << 20) }
    }

    private let session: Session
    private let taken: BenchCounter
    private var last: (messages: Int, at: ContinuousClock.Instant)
    private(set) var samples: [Sample] = []

    /// Messages from one sample to the next.
    private static let step = 100_000
    private static let size = Statement(
        name: "bench_journal",
        text: """
            select sum(pg_total_relation_size(c.oid))::bigint, sum(pg_stat_get_live_tuples(c.oid))::bigint,
                sum(pg_stat_get_dead_tuples(c.oid))::bigint
            from pg_class c where c.relnamespace = current_schema()::regnamespace and c.relname in
                ('queue_leases', 'queue_pending', 'queue_messages', 'queue_deduplication')
            """
    )

    /// - Parameter taken: counts the messages that have gone through.
    init(_ access: EventLogAccess, _ taken: BenchCounter) throws {
        session = try access.ownerSession()
        self.taken = taken
        last = (taken.value, .now)
    }

    func close() { session.close() }

    /// Samples for a while, and longer until so many messages have gone through; returns how many that were a second.
    mutating func follow(for duration: Duration, until messages: Int = 0) async throws -> Double {
        let (start, before) = (ContinuousClock.now, taken.value)
        while ContinuousClock.now - start < duration || taken.value < messages {
            try await Task.sleep(for: .milliseconds(10))
            if taken.value / Self.step > last.messages / Self.step { try look() }
        }
        return Double(taken.value - before) / ((ContinuousClock.now - start) / .seconds(1))
    }

    private mutating func look() throws {
        let row = try session.query(Self.size).only()
        let (messages, now) = (taken.value, ContinuousClock.now)
        samples.append(
            Sample(
                messages: messages,
                rate: Double(messages - last.messages) / ((now - last.at) / .seconds(1)),
                bytes: try row.int64(0),
                live: try row.int64(1),
                dead: try row.int64(2)
            )
        )
        last = (messages, now)
    }

    /// The samples as text: each up to `whole` messages, then every tenth.
    static func series(_ samples: [Sample], whole: Int) -> [String] {
        samples.enumerated().filter { $1.messages <= whole || $0.isMultiple(of: 10) }.map { _, sample in
            "after \(BenchReport.number(Double(sample.messages))): \(BenchReport.fixed(sample.mebibytes, 1)) MiB, "
                + "\(BenchReport.number(Double(sample.live))) rows and \(BenchReport.number(Double(sample.dead))) dead, "
                + "\(BenchReport.number(sample.rate)) messages/s"
        }
    }
}
