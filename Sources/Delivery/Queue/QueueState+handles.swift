extension QueueState {
    /// What became of a request with an (authentic) receipt handle.
    package enum HandleOutcome: Sendable, Equatable {
        case done
        /// The message's time is over, or it was given to another since; it is still outstanding.
        case expired
        /// No message stands behind the handle: never, or (for a visibility change) no longer.
        case unknown
    }

    /// Deletes the message for good. Deleting twice is `done` twice.
    ///
    /// - Parameter isLate: also when the message's time is over, as long as nobody else was given it: the rule of queues
    ///   that are not FIFO.
    package mutating func delete(_ handle: ReceiptHandle, now: Int64, isLate: Bool = false) -> HandleOutcome {
        switch find(handle, now: isLate ? .min : now) {
        case .notOutstanding: return handle.lease < nextLease ? .done : .unknown
        case .expired: return .expired
        case .inFlight(let slot, let place):
            groups[slot].handedOut.remove(at: place)
            removed.append(handle.position)
            release(lease: handle.lease, index: handle.index)
            if groups[slot].handedOut.isEmpty && groups[slot].firstUntouched == nil { markChanged(slot) }
            judge(slot, now: now)
            return .done
        }
    }

    /// The message becomes visible `visibilityTimeout` microseconds from now; at once if that is 0.
    package mutating func changeVisibility(
        _ handle: ReceiptHandle,
        visibilityTimeout: Int64,
        now: Int64
    ) -> HandleOutcome {
        switch find(handle, now: now) {
        case .notOutstanding: return .unknown
        case .expired: return .expired
        case .inFlight(let slot, let place):
            let until = now + visibilityTimeout
            groups[slot].handedOut[place].until = until
            leases[handle.lease]?.entries[handle.index].until = until
            leases[handle.lease]?.isVisibilityChanged = true
            markLeaseChanged(handle.lease)
            judge(slot, now: now)
            return .done
        }
    }

    /// The message is visible at once, and the receive that gave it does not count: it was given, but nobody tried it.
    ///
    /// Also when its time is over, as long as nobody else was given it. Giving back twice is giving back once.
    package mutating func giveBack(_ handle: ReceiptHandle, now: Int64) -> HandleOutcome {
        switch find(handle, now: .min) {
        case .notOutstanding: return .unknown
        case .expired: return .expired
        case .inFlight(let slot, let place):
            guard groups[slot].handedOut[place].until != Self.givenBack else { return .done }
            groups[slot].handedOut[place].until = Self.givenBack
            groups[slot].handedOut[place].receiveCount -= 1
            leases[handle.lease]?.entries[handle.index].until = Self.givenBack
            leases[handle.lease]?.entries[handle.index].receiveCount -= 1
            leases[handle.lease]?.isVisibilityChanged = true
            markLeaseChanged(handle.lease)
            judge(slot, now: now)
            return .done
        }
    }

    /// `until` of a message that was given back: long over, and no timeout's end.
    private static let givenBack: Int64 = 0

    /// Whether the message stands out under this very handle.
    package func isInFlight(_ handle: ReceiptHandle, now: Int64) -> Bool {
        if case .inFlight = find(handle, now: now) { true } else { false }
    }

    /// Handed out and not visible. O(messages handed out).
    package func inFlightCount(now: Int64) -> Int {
        groups.reduce(0) { $0 + $1.handedOut.count { $0.until > now } }
    }

    /// Never handed out and not visible yet, among those at hand. O(fresh messages).
    package func delayedCount(now: Int64) -> Int {
        groups.reduce(0) { $0 + $1.fresh.count { $0.visibleAt > now } }
    }

    private enum Found {
        case inFlight(slot: Int, place: Int)
        case expired
        case notOutstanding
    }

    private func find(_ handle: ReceiptHandle, now: Int64) -> Found {
        guard let slot = slot(of: handle.group),
            let place = groups[slot].handedOut.firstIndex(where: { $0.position == handle.position })
        else { return .notOutstanding }
        let message = groups[slot].handedOut[place]
        guard message.lease == handle.lease, message.index == handle.index, message.until > now else { return .expired }
        return .inFlight(slot: slot, place: place)
    }
}
