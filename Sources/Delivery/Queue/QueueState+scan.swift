extension QueueState {
    /// Positions to read back from the log: those of `group` in `from ... through`, ascending, at most `limit`.
    package struct RefillRequest: Sendable, Equatable {
        package let group: Int64
        package let from: Int64
        package let through: Int64
        package let limit: Int
    }

    /// The next message of the log: its position must lie after `scannedThrough`.
    ///
    /// - Parameter visibleAt: when its delay is over; `.min` without one.
    package mutating func scanned(position: Int64, group: Int64, visibleAt: Int64 = .min) {
        scannedThrough = position
        if !handedOutBefore.isEmpty, handedOutBefore.remove(position) != nil { return }
        let slot = openSlot(of: group)
        let wasUntouched = groups[slot].firstUntouched != nil
        if groups[slot].beyond != nil {
            groups[slot].deferred += 1
            deferredCount += 1
            if case .asked(later: nil) = groups[slot].refill { groups[slot].refill = .asked(later: position) }
        } else if groups[slot].fresh.count < settings.freshPerGroup {
            groups[slot].fresh.append(FreshMessage(position: position, visibleAt: visibleAt))
            freshCount += 1
        } else {
            groups[slot].beyond = position
            groups[slot].deferred += 1
            deferredCount += 1
        }
        if !wasUntouched { setFrontier(slot) }
        judgeFresh(slot)
    }

    /// The log was looked at up to here, and nothing after the last message scanned is one of the queue's.
    package mutating func passed(through position: Int64) { scannedThrough = max(scannedThrough, position) }

    /// Has the next flush write a receive of nothing, which bears where a take-over begins to scan.
    package mutating func keepPlace() {
        leases[nextLease] = QueueLease(id: nextLease)
        markLeaseChanged(nextLease)
        nextLease += 1
        hasNewLease = true
    }

    /// What to read back, at most `limit` groups; each is asked for once until its result comes by `refilled`.
    package mutating func takeRefills(limit: Int) -> [RefillRequest] {
        var requests: [RefillRequest] = []
        while requests.count < limit, let slot = wantedRefills.popFirst() {
            guard let from = groups[slot].beyond else {
                groups[slot].refill = .none
                continue
            }
            groups[slot].refill = .asked(later: nil)
            requests.append(
                RefillRequest(
                    group: groups[slot].id,
                    from: from,
                    through: scannedThrough,
                    limit: settings.freshPerGroup + 1
                )
            )
        }
        return requests
    }

    package var wantsRefills: Bool { !wantedRefills.isEmpty }

    /// The answer to a refill request, before or after what was scanned meanwhile.
    package mutating func refilled(group: Int64, messages: [FreshMessage]) {
        guard let slot = slot(of: group), case .asked(let later) = groups[slot].refill else { return }
        let before = groups[slot].firstUntouched
        let room = max(0, settings.freshPerGroup - groups[slot].fresh.count)
        for message in messages.prefix(room) { groups[slot].fresh.append(message) }
        freshCount += min(room, messages.count)
        groups[slot].refill = .none
        groups[slot].beyond = messages.count > room ? messages[room].position : later
        setDeferred(slot, groups[slot].deferred - min(room, messages.count))
        if groups[slot].firstUntouched != before { markChanged(slot) }
        wantRefillIfLow(slot)
        judgeFresh(slot)
    }

    mutating func wantRefillIfLow(_ slot: Int) {
        guard groups[slot].beyond != nil, groups[slot].fresh.count <= settings.freshPerGroup / 2,
            case .none = groups[slot].refill
        else { return }
        groups[slot].refill = .wanted
        wantedRefills.append(slot)
    }

    /// Puts the group's first untouched position among the frontiers, unless a pending row stands for it.
    mutating func setFrontier(_ slot: Int) {
        guard let first = groups[slot].firstUntouched, groups[slot].pendingFrom == nil,
            groups[slot].frontier != first
        else { return }
        groups[slot].frontier = first
        frontiers.push(first, slot)
    }

    /// Fresh messages matter to a group only while none is handed out.
    private mutating func judgeFresh(_ slot: Int) {
        guard groups[slot].handedOut.isEmpty, !groups[slot].isReady else { return }
        judge(slot, now: .min)
    }

    private mutating func setDeferred(_ slot: Int, _ count: Int) {
        let least = groups[slot].beyond == nil ? 0 : 1
        let known = groups[slot].beyond == nil ? 0 : max(count, least)
        deferredCount += known - groups[slot].deferred
        groups[slot].deferred = known
    }
}
