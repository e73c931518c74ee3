/// What one batch of inputs wants written, and the rows that a take-over reads back.
///
/// All of it belongs into one transaction that first locks the queue's row and compares its epoch; nobody is answered
/// before that transaction has committed. If it fails, the state that made it is void: drop it and recover.
/// No key is ever used twice, and apart from a lease's `gone`, `until` and counts no row is updated.
package struct QueueJournal: Sendable, Equatable {
    /// New lease rows.
    package var insertedLeases: [Lease] = []
    /// Lease rows whose `until` and counts are to be written, with their `gone` as it is now.
    package var changedLeases: [Lease] = []
    /// Lease rows of which only `gone` is to be written.
    package var goneMarks: [GoneMark] = []
    /// Lease rows that nothing needs any more.
    package var deletedLeases: [Int64] = []
    package var insertedPending: [Pending] = []
    /// `from` of the pending rows to delete.
    package var deletedPending: [Int64] = []
    /// Messages that were received `maxReceiveCount` times: to be sent to the dead-letter queue, in this order.
    package var deadLetters: [DeadLetter] = []
    /// Messages that were deleted or dead-lettered: their rows, if they have any, are needed no more.
    package var removed: [Int64] = []

    package init() {}

    package var isEmpty: Bool {
        insertedLeases.isEmpty && changedLeases.isEmpty && goneMarks.isEmpty && deletedLeases.isEmpty
            && insertedPending.isEmpty && deletedPending.isEmpty && deadLetters.isEmpty && removed.isEmpty
    }
}

extension QueueJournal {
    /// One receive: at most `QueueState.leaseCapacity` messages.
    package struct Lease: Sendable, Equatable {
        package let id: Int64
        /// Every position up to here is deleted, in a lease, or behind a pending row. Only the newest row's counts.
        package let low: Int64
        package let entries: [Entry]
        /// Bit i: entry i was deleted, dead-lettered or moved to a newer lease.
        package let gone: UInt32

        package init(id: Int64, low: Int64, entries: [Entry], gone: UInt32) {
            self.id = id
            self.low = low
            self.entries = entries
            self.gone = gone
        }
    }

    package struct Entry: Sendable, Equatable {
        package let group: Int64
        package let position: Int64
        package var receiveCount: Int
        /// When the message is visible again: microseconds on the clock of the `now` that came in.
        package var until: Int64

        package init(group: Int64, position: Int64, receiveCount: Int, until: Int64) {
            self.group = group
            self.position = position
            self.receiveCount = receiveCount
            self.until = until
        }
    }

    package struct GoneMark: Sendable, Equatable {
        package let lease: Int64
        package let gone: UInt32
    }

    /// All messages of `group` from position `from` on were never handed out.
    package struct Pending: Sendable, Equatable {
        package let from: Int64
        package let group: Int64

        package init(from: Int64, group: Int64) {
            self.from = from
            self.group = group
        }
    }

    package struct DeadLetter: Sendable, Equatable {
        package let group: Int64
        package let position: Int64
        package let receiveCount: Int
    }
}
