package import Catalog
package import LibPQ

/// What the database knows of a queue.
package struct QueueDepth: Sendable {
    package let name: String
    /// The owning process, by the id it gave itself; nil when nobody owns it.
    package let owner: String?
    /// At most so many events are not yet deleted: all since the oldest that is not.
    package let behind: Int64
    package let handedOut: Int64
    package let dead: Int64

    /// All queues.
    package static func read(_ session: Session) throws(PostgresError) -> [QueueDepth] {
        var queues: [QueueDepth] = []
        for row in try session.query(Statements.queueDepths) {
            queues.append(
                QueueDepth(
                    name: try row.text(0),
                    owner: try row.optionalText(1),
                    behind: try row.int64(2),
                    handedOut: try row.int64(3),
                    dead: try row.int64(4)
                )
            )
        }
        return queues
    }
}

/// A message that was received too often and set aside.
package struct DeadLetter: Sendable {
    /// Where it died.
    package let queue: String
    /// The event's; nil for a message that an application sent.
    package let position: Int64?
    /// The product's id; 0 for an event about none; of other messages what stands for their group.
    package let group: Int64
    package let receiveCount: Int32
    package let diedAt: Timestamp
    /// Where it lies.
    package let deadLetterQueue: String
    /// Why the queue's consumer could not apply it the last time; nil when it has none of Rastro's, or nothing was kept.
    package let lastError: String?
    package let lastErrorAt: Timestamp?

    /// The newest, at most `limit`.
    package static func read(_ session: Session, limit: Int32) throws(PostgresError) -> [DeadLetter] {
        var letters: [DeadLetter] = []
        for row in try session.query(Statements.readDeadLetters, Parameters().int32(limit)) {
            letters.append(
                DeadLetter(
                    queue: try row.text(0),
                    position: try row.optionalInt64(1),
                    group: try row.int64(2),
                    receiveCount: try row.int32(3),
                    diedAt: Timestamp(microseconds: try row.timestamp(4)),
                    deadLetterQueue: try row.text(5),
                    lastError: try row.optionalText(7),
                    lastErrorAt: try row.optionalTimestamp(8).map(Timestamp.init(microseconds:))
                )
            )
        }
        return letters
    }
}
