/// What became of a batch, and what an operator lets go on.
extension RelayState {
    /// Takes the outcomes of a batch, one a message, in order. A group goes on behind its first message that was not
    /// accepted: that one is the next to be sent.
    mutating func completed(_ batch: Batch, _ outcomes: [SendOutcome], now: Int64) {
        ended(batch)
        var unavailable = false
        var start = 0
        while start < batch.messages.count {
            let number = batch.messages[start].group
            var end = start + 1
            while end < batch.messages.count, batch.messages[end].group == number { end += 1 }
            // An outcome that is missing is one that is not known.
            let own = (start..<end).map { outcomes.indices.contains($0) ? outcomes[$0] : .unavailable("no answer") }
            if case .unavailable = complete(number, own, now: now) { unavailable = true }
            start = end
        }
        advance()
        if unavailable { failed(now: now) } else { succeeded() }
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
        if stop == nil { group.failures = 0 }
        groups[number] = group
        guard let (outcome, message) = stop else {
            settleGroup(number)
            return .accepted
        }
        switch outcome {
        case .accepted, .unavailable: settleGroup(number)
        case .retry: tryAgain(number, now: now)
        case .refused(let reason): park(number, at: message.position, reason, now: now)
        }
        return outcome
    }

    private mutating func tryAgain(_ number: Int64, now: Int64) {
        guard var group = groups[number] else { return }
        group.failures += 1
        let until = now + RelayBackoff.group(group.failures)
        groups[number] = group
        backOff(number, until: until)
        if group.failures >= 2, let first = group.firstUndelivered {
            // Others need the room; it is read back when its time has come.
            drop(number)
            fallBehind(number, from: first)
        } else {
            settleGroup(number)
        }
    }

    private mutating func park(_ number: Int64, at position: Int64, _ reason: String, now: Int64) {
        guard parked.count < limits.parked else { return tryAgain(number, now: now) }
        hold(number)
        drop(number)
        if groups.removeValue(forKey: number)?.behind != nil { endedBehind() }
        parked[number] = position
        dirty.insert(number)
        newlyParked.append(RelayJournal.Parked(position: position, group: number, reason: reason))
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
        fallBehind(number, from: position)
    }
}

/// How long is waited after failures in a row, in microseconds.
enum RelayBackoff {
    /// Of one group: 0.2 s, doubling up to a minute.
    static func group(_ failures: Int) -> Int64 { doubling(100_000, failures, atMost: 60_000_000) }

    /// Of a destination as a whole: 0.2 s, doubling up to 10 s.
    static func destination(_ failures: Int) -> Int64 { doubling(100_000, failures, atMost: 10_000_000) }

    private static func doubling(_ first: Int64, _ times: Int, atMost limit: Int64) -> Int64 {
        min(limit, first << Int64(min(max(times, 0), 20)))
    }
}
