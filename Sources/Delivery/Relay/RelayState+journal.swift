extension RelayState {
    /// What is to be written down now, all of it in one transaction; nil when nothing changed since the last one.
    ///
    /// It counts as written: who cannot write it forgets the whole state, and begins again with what is saved.
    mutating func takeJournal() -> RelayJournal? {
        let cursor = cursor
        guard cursor > savedCursor || !dirty.isEmpty else { return nil }
        var journal = RelayJournal(cursor: cursor, parked: newlyParked)
        for number in dirty.sorted() {
            if let from = parked[number] {
                journal.holds.append(RelayHold(group: number, from: from, isParked: true))
            } else if let group = groups[number], group.isHeld, let from = group.firstUndelivered {
                let retryAt = group.failures > 0 ? group.retryAt : nil
                journal.holds.append(
                    RelayHold(
                        group: number,
                        from: from,
                        isParked: false,
                        failures: group.failures,
                        retryAt: retryAt
                    )
                )
            } else {
                journal.ended.append(number)
            }
        }
        dirty = []
        newlyParked = []
        setSavedCursor(cursor)
        return journal
    }
}

/// What a relay writes down.
struct RelayJournal: Sendable, Hashable {
    struct Parked: Sendable, Hashable {
        let position: Int64
        let group: Int64
        let reason: String
    }

    let cursor: Int64
    /// Events that the destination refused for good.
    var parked: [Parked] = []
    /// Holds that are new or have moved.
    var holds: [RelayHold] = []
    /// Groups without a hold any more.
    var ended: [Int64] = []
}

/// Stands for what a group has not delivered, however much it is.
struct RelayHold: Sendable, Hashable {
    let group: Int64
    /// The first that is not delivered.
    let from: Int64
    /// An operator must decide; else its messages are read back as soon as there is room.
    let isParked: Bool
    /// Attempts in vain to deliver it.
    var failures = 0
    /// When the next one is due, in microseconds since the Unix epoch; nil: as soon as there is room.
    var retryAt: Int64?
}
