extension QueueState {
    /// A message as one receive gives it. Its body is read from the log by `handle.position`.
    package struct ReceivedMessage: Sendable, Equatable {
        package let handle: ReceiptHandle
        /// How often it has been received, this time included.
        package let receiveCount: Int
        /// Microseconds; after a take-over no earlier than that.
        package let firstReceivedAt: Int64
    }

    /// Gives up to `max` messages (at most `leaseCapacity`), each invisible for `visibilityTimeout` microseconds.
    ///
    /// One group is drained before the next begins. With a timeout of 0 only one group is given, since its messages
    /// are visible again at once. The answer may go out only after the journal's commit. O(messages given).
    package mutating func receive(max: Int, visibilityTimeout: Int64, now: Int64) -> [ReceivedMessage] {
        advance(to: now)
        let limit = min(max, Self.leaseCapacity)
        var lease = QueueLease(id: nextLease)
        // When each was first received.
        var given: [Int64] = []
        while lease.entries.count < limit, let slot = popReady() {
            let before = lease.entries.count
            give(from: slot, into: &lease, limit: limit, until: now + visibilityTimeout, now: now, &given)
            if visibilityTimeout == 0 && lease.entries.count > before { break }
        }
        guard !lease.entries.isEmpty else { return [] }
        nextLease += 1
        hasNewLease = true
        handedOutCount += lease.entries.count
        leases[lease.id] = lease
        markLeaseChanged(lease.id)
        return lease.entries.enumerated().map { index, entry in
            ReceivedMessage(
                handle: ReceiptHandle(lease: lease.id, index: index, group: entry.group, position: entry.position),
                receiveCount: entry.receiveCount,
                firstReceivedAt: given[index]
            )
        }
    }

    private mutating func popReady() -> Int? {
        while let slot = ready.popFirst() {
            guard groups[slot].isReady else { continue }
            groups[slot].isReady = false
            readyCount -= 1
            return slot
        }
        return nil
    }

    /// Gives from the group's front: what is visible again, and after it, if nothing in flight was met, what is fresh.
    private mutating func give(
        from slot: Int,
        into lease: inout QueueLease,
        limit: Int,
        until: Int64,
        now: Int64,
        _ given: inout [Int64]
    ) {
        let first = lease.entries.count
        if giveAgain(from: slot, into: &lease, limit: limit, until: until, now: now) {
            giveFresh(from: slot, into: &lease, limit: limit, until: until, now: now)
        }
        let count = lease.entries.count - first
        given += groups[slot].handedOut.prefix(count).map(\.firstReceivedAt)
        if groups[slot].handedOut.isEmpty { markChanged(slot) }
        wantRefillIfLow(slot)
        judge(slot, now: now)
    }

    /// True when all that were handed out before have been given again or dead-lettered.
    private mutating func giveAgain(
        from slot: Int,
        into lease: inout QueueLease,
        limit: Int,
        until: Int64,
        now: Int64
    ) -> Bool {
        var place = 0
        while place < groups[slot].handedOut.count {
            let message = groups[slot].handedOut[place]
            if message.until > now { return false }
            if let maxReceiveCount, message.receiveCount >= maxReceiveCount {
                release(lease: message.lease, index: message.index)
                groups[slot].handedOut.remove(at: place)
                removed.append(message.position)
                deadLetters.append(
                    QueueJournal.DeadLetter(
                        group: groups[slot].id,
                        position: message.position,
                        receiveCount: message.receiveCount
                    )
                )
                continue
            }
            if lease.entries.count >= limit { return false }
            release(lease: message.lease, index: message.index)
            groups[slot].handedOut[place] = lease.add(
                group: groups[slot].id,
                position: message.position,
                receiveCount: message.receiveCount + 1,
                until: until,
                firstReceivedAt: message.firstReceivedAt
            )
            place += 1
        }
        return true
    }

    private mutating func giveFresh(
        from slot: Int,
        into lease: inout QueueLease,
        limit: Int,
        until: Int64,
        now: Int64
    ) {
        while lease.entries.count < limit, let next = groups[slot].fresh.first, next.visibleAt <= now {
            groups[slot].fresh.popFirst()
            let position = next.position
            groups[slot].handedOut.append(
                lease.add(
                    group: groups[slot].id,
                    position: position,
                    receiveCount: 1,
                    until: until,
                    firstReceivedAt: now
                )
            )
            freshCount -= 1
            newestPosition = Swift.max(newestPosition, position)
            markChanged(slot)
        }
    }
}

extension QueueLease {
    fileprivate mutating func add(
        group: Int64,
        position: Int64,
        receiveCount: Int,
        until: Int64,
        firstReceivedAt: Int64
    ) -> QueueGroup.HandedOut {
        entries.append(
            QueueJournal.Entry(group: group, position: position, receiveCount: receiveCount, until: until)
        )
        return QueueGroup.HandedOut(
            position: position,
            receiveCount: receiveCount,
            lease: id,
            index: entries.count - 1,
            until: until,
            firstReceivedAt: firstReceivedAt
        )
    }
}
