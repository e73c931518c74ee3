package import Catalog
import LibPQ

/// Messages on their way from a dead-letter queue to another queue, or each back to where it died.
package struct MoveTask: Sendable {
    package enum Status: String, Sendable {
        case running = "RUNNING"
        case completed = "COMPLETED"
        case cancelled = "CANCELLED"
        case failed = "FAILED"
    }

    package let number: Int32
    package let queueID: Int16
    /// Nil: each back to where it died.
    package let target: String?
    package let perSecond: Int?
    package let moved: Int64
    /// How many there were when it began; no more are moved.
    package let total: Int64
    package let status: Status
    package let failure: String?
    package let startedAt: Timestamp

    /// From the columns of `read_moves`.
    init(_ row: Row) throws(PostgresError) {
        number = try row.int32(0)
        queueID = try row.int16(1)
        target = try row.optionalText(2)
        perSecond = try row.optionalInt32(3).map(Int.init)
        moved = try row.int64(4)
        total = try row.int64(5)
        status = Status(rawValue: try row.text(6)) ?? .failed
        failure = try row.optionalText(7)
        startedAt = Timestamp(microseconds: try row.timestamp(8))
    }
}
