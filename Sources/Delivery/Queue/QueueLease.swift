/// A lease row as it stands in memory: one receive's messages, until the last of them is gone.
struct QueueLease: Sendable {
    let id: Int64
    var entries: ContiguousArray<QueueJournal.Entry> = []
    /// Bit i: entry i was deleted, dead-lettered or moved to a newer lease.
    var gone: UInt32 = 0
    /// The row is not in the journal yet.
    var isNew = true
    /// Stands in `QueueState.changedLeases`.
    var isChanged = false
    var isVisibilityChanged = false

    /// Every entry is gone.
    var isFinished: Bool { gone == (1 << UInt32(entries.count)) - 1 }

    var highestPosition: Int64 { entries.lazy.map(\.position).max() ?? 0 }

    func row(low: Int64) -> QueueJournal.Lease {
        QueueJournal.Lease(id: id, low: low, entries: Array(entries), gone: gone)
    }
}
