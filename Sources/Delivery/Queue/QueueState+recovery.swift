extension QueueState {
    /// The state that a journal tells, for an owner who has just raised the queue's epoch; with no rows, a new queue.
    ///
    /// Every group with a pending row then waits for its refill, and the scan goes on after `scannedThrough`.
    ///
    /// - Parameters:
    ///   - leases: All lease rows, by ascending id.
    ///   - pending: All pending rows.
    ///   - start: The position after which a queue without lease rows begins.
    package init(
        settings: Settings = Settings(),
        maxReceiveCount: Int?,
        leases rows: [QueueJournal.Lease] = [],
        pending: [QueueJournal.Pending] = [],
        start: Int64 = 0,
        now: Int64
    ) {
        self.settings = settings
        self.maxReceiveCount = maxReceiveCount
        committedLow = rows.last?.low ?? start
        scannedThrough = committedLow
        nextLease = (rows.last?.id ?? 0) + 1
        for row in rows { recover(row, now: now) }
        for row in pending {
            let slot = openSlot(of: row.group)
            groups[slot].pendingFrom = row.from
            groups[slot].beyond = row.from
            groups[slot].deferred = 1
            deferredCount += 1
            wantRefillIfLow(slot)
        }
        for slot in groups.indices where !groups[slot].handedOut.isEmpty {
            groups[slot].handedOut.sort { $0.position < $1.position }
            judge(slot, now: now)
        }
    }

    private mutating func recover(_ row: QueueJournal.Lease, now: Int64) {
        let lease = QueueLease(id: row.id, entries: ContiguousArray(row.entries), gone: row.gone, isNew: false)
        newestPosition = max(newestPosition, lease.highestPosition)
        for (index, entry) in row.entries.enumerated() {
            if entry.position > committedLow { handedOutBefore.insert(entry.position) }
            guard row.gone >> UInt32(index) & 1 == 0 else { continue }
            let message = QueueGroup.HandedOut(
                position: entry.position,
                receiveCount: entry.receiveCount,
                lease: row.id,
                index: index,
                until: entry.until,
                firstReceivedAt: now
            )
            groups[openSlot(of: entry.group)].handedOut.append(message)
            handedOutCount += 1
        }
        if lease.isFinished {
            finishedLeases.push(lease.highestPosition, row.id)
        } else {
            leases[row.id] = lease
        }
    }
}
