import EventLog
import LibPQ

/// The database's side of a consumer.
struct ConsumerStore: Sendable {
    let consumer: any Consumer
    private let number: Int16
    private let queue: QueueReference
    private let log: EventLog

    /// Errors that are kept at most, the newest.
    private static let failureLimit: Int32 = 10_000
    /// Inbox rows that go in one statement.
    private static let stretch: Int32 = 20_000

    /// Finds the consumer's number, or gives it one.
    ///
    /// - Throws: `ConsumerError` when its name or its queue belongs to another.
    init(_ consumer: any Consumer, queue: QueueReference, log: EventLog) async throws {
        let parameters = Parameters().text(consumer.name).int16(queue.id)
        let number = try await log.readers.withConnection { session in
            try session.query(Statements.openConsumer, parameters).first?.int16(0)
        }
        guard let number else { throw ConsumerError("the name or the queue belongs to another consumer") }
        self.consumer = consumer
        self.number = number
        self.queue = queue
        self.log = log
    }

    /// Applies those of the events that are new to the consumer, all or none. Positions ascend.
    func apply(_ positions: [Int64]) async throws {
        let admission = Parameters().int16(number).int64Array(positions)
        try await log.readers.withConnection { [consumer] session in
            let answers = try session.pipeline { pipeline in
                pipeline.begin()
                pipeline.add(Statements.admitEvents, admission)
            }
            do {
                let fresh = try answers[0].only().int64Array(0)
                if !fresh.isEmpty { try consumer.apply(ConsumedEvents(positions: fresh), in: session) }
            } catch {
                session.rollback()
                throw error
            }
            try session.commit()
        }
    }

    /// Keeps why events could not be applied.
    func keep(_ failures: [ConsumerSettlement.Failure]) async throws {
        let parameters = Parameters().int16(number).int64Array(failures.map(\.position))
            .textArray(failures.map(\.reason))
        _ = try await log.readers.withConnection { session in
            try session.query(Statements.keepFailures, parameters).affectedRows
        }
    }

    /// What stands behind messages that were moved back, by their numbers.
    func movedEvents(_ numbers: [Int64]) async throws -> [Int64: (position: Int64?, isReplay: Bool)] {
        let parameters = Parameters().int16(queue.id).int64Array(numbers)
        return try await log.readers.withConnection { session in
            var events: [Int64: (position: Int64?, isReplay: Bool)] = [:]
            for row in try session.query(Statements.findMovedEvents, parameters) {
                events[try row.int64(0)] = (try row.optionalInt64(1), try row.bool(2))
            }
            return events
        }
    }

    /// Forgets positions that cannot be delivered any more, and errors that nobody needs.
    ///
    /// - Parameter isEnding: asked between two stretches.
    func sweep(isEnding: @Sendable () -> Bool) async throws {
        let limits = Parameters().int16(number).int32(Self.failureLimit)
        _ = try await log.readers.withConnection { try $0.query(Statements.sweepConsumer, limits).affectedRows }
        let stretch = Parameters().int16(number).int32(Self.stretch)
        while !isEnding() {
            let count = try await log.readers.withConnection { session in
                try session.query(Statements.forgetApplied, stretch).only().int64(0)
            }
            if count < Int64(Self.stretch) { return }
        }
    }
}
