/// Messages that were received together, and in which parts they are applied: all at once, and when that fails in smaller
/// and smaller parts, so that a message that cannot be applied is found and harms no other. Pure.
///
/// A message's states: *open* → *in work* (its part was given by `next`) → applied, open again in a smaller part, or
/// failed. What comes after a failed one in its lane is given back untried.
struct ConsumerBatch {
    struct Message: Hashable {
        let handle: QueueHandle
        /// The event's; of a message that was moved back it is not the handle's.
        let position: Int64
        let receiveCount: Int

        fileprivate var lane: Lane { Lane(source: handle.source, group: handle.receipt.group) }
    }

    /// Messages that must be applied in order. What was moved back has a lane of its own: it is late already, and the
    /// product's later events do not wait for it.
    fileprivate struct Lane: Hashable {
        let source: Int32
        let group: Int64
    }

    private let retry: RetryDelay
    /// The next one last.
    private var parts: [[Message]] = []
    private var blocked: Set<Lane> = []
    private var settlement = ConsumerSettlement()
    /// Something could not be applied; what is left may take long.
    private(set) var isDivided = false

    /// Lanes in which something failed before go by themselves: the others are not to pay for them again.
    init(_ messages: [Message], retry: RetryDelay) {
        self.retry = retry
        let suspects = Set(messages.filter { $0.receiveCount > 1 }.map(\.lane))
        let sorted = messages.sorted { $0.position < $1.position }
        parts = [sorted.filter { suspects.contains($0.lane) }, sorted.filter { !suspects.contains($0.lane) }]
    }

    /// The messages to be applied next, in one transaction; nil when all have had their turn.
    mutating func next() -> [Message]? {
        while let part = parts.popLast() {
            giveBack(part.filter { blocked.contains($0.lane) })
            let open = part.filter { !blocked.contains($0.lane) }
            if !open.isEmpty { return open }
        }
        return nil
    }

    mutating func succeed(_ part: [Message]) { settlement.applied += part.map(\.handle) }

    /// None of the part was applied: its halves get their turn, or it was one message and that one failed.
    mutating func fail(_ part: [Message], reason: String) {
        isDivided = true
        guard let message = part.first, part.count == 1 else {
            parts.append(Array(part[(part.count / 2)...]))
            parts.append(Array(part[..<(part.count / 2)]))
            return
        }
        blocked.insert(message.lane)
        settlement.failures.append(ConsumerSettlement.Failure(position: message.position, reason: reason))
        let delay = retry.after(receives: message.receiveCount)
        settlement.changes.append(VisibilityChange(handle: message.handle, timeout: delay))
    }

    /// The part and all that waits are given back untried: there is no time for them, or no database.
    mutating func giveUp(_ part: [Message]) {
        giveBack(part)
        for rest in parts { giveBack(rest) }
        parts = []
    }

    /// What the queue is to be told since the last time.
    mutating func takeSettlement() -> ConsumerSettlement {
        defer { settlement = ConsumerSettlement() }
        return settlement
    }

    private mutating func giveBack(_ messages: [Message]) {
        settlement.changes += messages.map { VisibilityChange.givingBack($0.handle) }
    }
}

/// After how long a message that could not be applied comes again.
struct RetryDelay: Sendable {
    var first: Duration = .seconds(1)
    var limit: Duration = .seconds(60)

    /// Doubles with each receive, up to the limit.
    func after(receives: Int) -> Duration { min(limit, first * (1 << min(max(receives - 1, 0), 16))) }
}
