/// What became of a batch, and what an operator lets go on.
extension RelayState {
    /// Takes the outcomes of a batch, one a message, in order. A group goes on behind its first message that was not
    /// accepted: that one is the next to be sent.
    mutating func completed(_ batch: Batch, _ outcomes: [SendOutcome], now: Int64) {
        ended(batch)
        var unavailable: Duration?
        var start = 0
        while start < batch.messages.count {
            let number = batch.messages[start].group
            var end = start + 1
            while end < batch.messages.count, batch.messages[end].group == number { end += 1 }
            // An outcome that is missing is one that is not known.
            let own = (start..<end).map { outcomes.indices.contains($0) ? outcomes[$0] : .unavailable("no answer") }
            switch complete(number, own, now: now) {
            case .unavailable(_, let after): unavailable = max(unavailable ?? .zero, after ?? .zero)
            case .gone: unavailable = unavailable ?? .zero
            case .accepted, .retry, .refused: break
            }
            start = end
        }
        advance()
        if let unavailable { failed(now: now, after: unavailable) } else { succeeded() }
    }

    /// Returns the outcome that stopped the group, else `.accepted`.
    private mutating func complete(_ number: Int64, _ outcomes: [SendOutcome], now: Int64) -> SendOutcome {
        guard var group = groups[number] else { return .accepted }
        let sent = group.underWay
        group.underWay = []
        var stop: (SendOutcome, Message)?
        var returned: [Message] = []
        for (message, outcome) in zip(sent, outcomes) {
            if case .accepted = outcome {
                forget(message)
                if !group.isHeld { settle(message.position) }
            } else {
                if stop == nil { stop = (outcome, message) }
                returned.append(message)
            }
        }
        group.head = returned + group.head
        // The failures are those of the first message that is not delivered.
        if stop == nil || returned.count < sent.count { group.failures = 0 }
        groups[number] = group
        guard let (outcome, message) = stop else {
            settleGroup(number)
            return .accepted
        }
        switch outcome {
        case .accepted, .unavailable, .gone: settleGroup(number)
        case .retry(let reason, let after): tryAgain(number, message, reason, after: after, now: now)
        case .refused(let reason):
            if !park(number, at: message.position, reason) {
                tryAgain(number, message, reason, after: nil, now: now)
            }
        }
        return outcome
    }

    private mutating func tryAgain(
        _ number: Int64,
        _ message: Message,
        _ reason: String,
        after: Duration?,
        now: Int64
    ) {
        guard var group = groups[number] else { return }
        group.failures += 1
        let failures = group.failures
        groups[number] = group
        guard let wait = limits.backoff.group(failures, of: number) else {
            if park(number, at: message.position, "given up after \(failures) attempts: \(reason)") { return }
            // No more can be parked: it is tried as seldom as the last time.
            groups[number]?.failures = failures - 1
            return backOff(number, until: now + (limits.backoff.group(failures - 1, of: number) ?? 0))
        }
        backOff(number, until: now + max(wait, after?.microseconds ?? 0))
        if failures >= 2, let first = group.firstUndelivered {
            // Others need the room; it is read back when its time has come.
            drop(number)
            fallBehind(number, from: first)
        } else {
            settleGroup(number)
        }
    }

    /// False when as many are parked as may be.
    private mutating func park(_ number: Int64, at position: Int64, _ reason: String) -> Bool {
        guard parked.count < limits.parked else { return false }
        hold(number)
        drop(number)
        if groups.removeValue(forKey: number)?.behind != nil { endedBehind() }
        parked[number] = position
        dirty.insert(number)
        newlyParked.append(RelayJournal.Parked(position: position, group: number, reason: reason))
        return true
    }

    /// Forgets a group's messages; a hold stands for them, or will.
    private mutating func drop(_ number: Int64) {
        hold(number)
        guard var group = groups[number] else { return }
        for message in group.head + group.underWay { forget(message) }
        for message in group.waiting.inOrder { forget(message) }
        group.head = []
        group.waiting.removeAll()
        groups[number] = group
    }

    /// An operator lets a parked group go on: its messages from a position on are read back and sent.
    mutating func released(_ number: Int64, from position: Int64) {
        guard parked.removeValue(forKey: number) != nil else { return }
        newlyParked.removeAll { $0.group == number }
        // Whatever else is behind, what lies up to here must be scanned for it to go on.
        reached = max(reached, position)
        fallBehind(number, from: position)
    }
}
