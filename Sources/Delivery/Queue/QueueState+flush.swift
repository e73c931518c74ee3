extension QueueState {
    /// Collects what all inputs since the last flush want written. Commit it before answering any of them.
    package mutating func flush() -> QueueJournal {
        var journal = QueueJournal()
        settleGroups(&journal)
        let low = findLow(&journal)
        if hasNewLease { committedLow = low }
        hasNewLease = false
        writeLeases(&journal)
        deleteFinishedLeases(&journal)
        journal.deadLetters = deadLetters
        deadLetters.removeAll(keepingCapacity: true)
        journal.removed = removed
        removed.removeAll(keepingCapacity: true)
        return journal
    }

    /// Pending rows that the group has moved past go; groups with nothing outstanding are forgotten.
    private mutating func settleGroups(_ journal: inout QueueJournal) {
        for slot in changedGroups {
            groups[slot].isChanged = false
            if let from = groups[slot].pendingFrom, from != groups[slot].firstUntouched {
                journal.deletedPending.append(from)
                groups[slot].pendingFrom = nil
            }
            setFrontier(slot)
            closeSlotIfIdle(slot)
        }
        changedGroups.removeAll(keepingCapacity: true)
    }

    /// The position before the first untouched one that has no pending row.
    ///
    /// A group that holds it too far back gets a pending row, and so does one at or below what was committed: `low`
    /// must never go back, for finished lease rows below it are no more.
    private mutating func findLow(_ journal: inout QueueJournal) -> Int64 {
        while let frontier = frontiers.first {
            let slot = frontier.value
            guard groups[slot].frontier == frontier.key, groups[slot].firstUntouched == frontier.key,
                groups[slot].pendingFrom == nil
            else {
                frontiers.popFirst()
                continue
            }
            if frontier.key > committedLow && newestPosition - frontier.key <= settings.lowLag {
                return frontier.key - 1
            }
            frontiers.popFirst()
            groups[slot].frontier = nil
            groups[slot].pendingFrom = frontier.key
            journal.insertedPending.append(QueueJournal.Pending(from: frontier.key, group: groups[slot].id))
        }
        return scannedThrough
    }

    private mutating func writeLeases(_ journal: inout QueueJournal) {
        for id in changedLeases {
            guard let lease = leases[id] else { continue }
            leases[id]?.isChanged = false
            leases[id]?.isVisibilityChanged = false
            leases[id]?.isNew = false
            let mayGo = lease.isFinished && id != nextLease - 1 && lease.highestPosition <= committedLow
            if lease.isNew {
                if !mayGo { journal.insertedLeases.append(lease.row(low: committedLow)) }
            } else if mayGo {
                journal.deletedLeases.append(id)
            } else if lease.isVisibilityChanged {
                journal.changedLeases.append(lease.row(low: committedLow))
            } else {
                journal.goneMarks.append(QueueJournal.GoneMark(lease: id, gone: lease.gone))
            }
            guard lease.isFinished else { continue }
            if !mayGo { finishedLeases.push(lease.highestPosition, id) }
            leases[id] = nil
        }
        changedLeases.removeAll(keepingCapacity: true)
    }

    /// The newest row stays whatever its state: it bears `low`.
    private mutating func deleteFinishedLeases(_ journal: inout QueueJournal) {
        while let finished = finishedLeases.first, finished.key <= committedLow, finished.value != nextLease - 1 {
            finishedLeases.popFirst()
            journal.deletedLeases.append(finished.value)
        }
    }
}
