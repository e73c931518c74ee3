/// One group's outstanding messages: those handed out, then the next few fresh ones, then a mark where the rest begins.
struct QueueGroup: Sendable {
    /// A message that was handed out and is not deleted. It is in flight while `until` lies ahead.
    struct HandedOut: Sendable {
        let position: Int64
        var receiveCount: Int
        let lease: Int64
        let index: Int
        var until: Int64
        /// When it was first received, as far as this owner knows: after a take-over, the take-over's moment.
        let firstReceivedAt: Int64
    }

    /// Reading the messages from `beyond` on back from the log.
    enum Refill: Sendable {
        case none
        case wanted
        /// Asked for up to the scan's position of that moment; `later` is the group's first message scanned since.
        case asked(later: Int64?)
    }

    var id: Int64 = 0
    /// In order; always the group's front. A receive adds to it only after all in it were given again, so it holds at
    /// most `QueueState.leaseCapacity`.
    var handedOut: ContiguousArray<HandedOut> = []
    /// Never handed out, in order; at most `QueueState.Settings.freshPerGroup`.
    var fresh = FirstInFirstOut<QueueState.FreshMessage>()
    /// The group's first position after `fresh`, exactly; nil when there is none.
    var beyond: Int64?
    /// How many messages are known to lie from `beyond` on; after a take-over too few.
    var deferred = 0
    /// `from` of the group's pending row in the journal, the one of this very batch included.
    var pendingFrom: Int64?
    /// What stands for this group in `QueueState.frontiers`.
    var frontier: Int64?
    var refill = Refill.none
    /// The group's moment in `QueueState.timers`.
    var timer: Int64?
    var isReady = false
    /// Stands in `QueueState.changedGroups`.
    var isChanged = false

    var firstUntouched: Int64? { fresh.first?.position ?? beyond }

    /// True when nothing about this group needs to be remembered.
    var isIdle: Bool {
        guard handedOut.isEmpty, firstUntouched == nil, pendingFrom == nil, !isReady, !isChanged else { return false }
        if case .none = refill { return true }
        return false
    }

    /// Makes the slot fit for another group; keeps its storage.
    mutating func reset(id: Int64) {
        self.id = id
        handedOut.removeAll(keepingCapacity: true)
        fresh.removeAll()
        (beyond, pendingFrom, frontier, timer) = (nil, nil, nil, nil)
        deferred = 0
        refill = .none
        (isReady, isChanged) = (false, false)
    }
}
