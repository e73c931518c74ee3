/// A FIFO queue over an append-only log, as its one owner holds it in memory. Pure: no I/O, no clock.
///
/// **A group yields its messages in order, up to but not including the first invisible one.**
///
/// A message's states: *unscanned* → *fresh* (or *deferred*, behind its group's `beyond`, until a refill) → *in flight*
/// (handed out, invisible) → deleted, or *visible again* when its time is over or was set to 0 → in flight, or
/// *dead-lettered* once it was received `maxReceiveCount` times.
///
/// A group's states, judged from its first outstanding message:
///
/// | State | When | Leaves it by |
/// |---|---|---|
/// | ready | that message was handed out and is visible again, or none is handed out and a visible one is fresh | a receive |
/// | blocked | that message is in flight or delayed; a timer stands for it | its delete, visibility 0, or the timer |
/// | refilling | none is handed out, none is fresh, some are deferred | the refill's result |
/// | idle | nothing is outstanding | a scanned message |
///
/// The owner's loop: give inputs; `flush`; commit the journal, then read `takeRefills` and, while `wantsScan`, the log
/// after `scannedThrough`; feed both; only then answer. Times are microseconds, any one clock for all of them.
/// Memory is bounded whatever the backlog: by `Settings`, not by the log.
package struct QueueState: Sendable {
    /// The most messages that one receive gives.
    package static let leaseCapacity = 10

    package struct Settings: Sendable {
        /// Fresh positions kept for a group; the rest is read back when half of them are used.
        package var freshPerGroup = 64
        /// The scan rests while so many groups are ready …
        package var readyGroups = 2_000
        /// … or so many messages are handed out and not deleted …
        package var handedOut = 120_000
        /// … or so many groups have outstanding messages.
        package var groups = 250_000
        /// How far `low` may stay behind the newest position handed out before the group that holds it back gets a
        /// pending row.
        package var lowLag: Int64 = 8_192

        package init() {}
    }

    package let settings: Settings
    /// A message that was received so often goes to the dead-letter queue instead of being given again; nil: never.
    package var maxReceiveCount: Int?
    /// The log was read up to here.
    package internal(set) var scannedThrough: Int64
    package internal(set) var readyCount = 0
    package internal(set) var handedOutCount = 0

    // Groups lie in slots that are used again, so that heaps and lists name them by a number.
    var groups: ContiguousArray<QueueGroup> = []
    var slots: [Int64: Int] = [:]
    var freeSlots: [Int] = []
    /// Slots of ready groups, the one waiting longest first.
    var ready = FirstInFirstOut<Int>()
    /// Slots by the moment at which their first message becomes visible; meant if equal to the group's `timer`.
    var timers = MinimumHeap<Int>()
    /// Slots by their first untouched position; meant if it still is that and has no pending row.
    var frontiers = MinimumHeap<Int>()
    var freshCount = 0
    var deferredCount = 0

    var leases: [Int64: QueueLease] = [:]
    var nextLease: Int64 = 1
    /// Finished leases by highest position: their rows wait until `committedLow` has passed it.
    var finishedLeases = MinimumHeap<Int64>()
    var newestPosition: Int64 = 0
    /// `low` of the newest lease row. It never goes back.
    var committedLow: Int64
    /// Since the take-over: positions above `committedLow` that were handed out before and will be scanned again.
    var handedOutBefore: Set<Int64> = []

    // Since the last flush.
    var changedGroups: [Int] = []
    var changedLeases: [Int64] = []
    var wantedRefills = FirstInFirstOut<Int>()
    var hasNewLease = false
    var deadLetters: [QueueJournal.DeadLetter] = []
    var removed: [Int64] = []

    /// The scan has reason to go on.
    package var wantsScan: Bool {
        readyCount < settings.readyGroups && handedOutCount < settings.handedOut && slots.count < settings.groups
    }

    /// The earliest moment at which `advance` may make a group ready; nil when no timer runs. It may be early.
    package var nextTimer: Int64? { timers.first?.key }

    /// A message that was never handed out.
    package struct FreshMessage: Sendable, Equatable {
        package let position: Int64
        /// When its delay is over; `.min` without one.
        package let visibleAt: Int64

        package init(position: Int64, visibleAt: Int64 = .min) {
            self.position = position
            self.visibleAt = visibleAt
        }
    }

    package struct Counts: Sendable, Equatable {
        /// Scanned messages that were never handed out; after a take-over an estimate that is too low.
        package let waiting: Int
        /// Handed out and not deleted, those visible again included.
        package let handedOut: Int
        package let readyGroups: Int
        package let groups: Int
    }

    /// For the queue's attributes. Messages after `scannedThrough` are not among them.
    package var counts: Counts {
        Counts(
            waiting: freshCount + deferredCount,
            handedOut: handedOutCount,
            readyGroups: readyCount,
            groups: slots.count
        )
    }

    /// Time has come to `now`: groups whose first message has become visible are ready.
    package mutating func advance(to now: Int64) {
        while let next = timers.first, next.key <= now {
            timers.popFirst()
            guard groups[next.value].timer == next.key else { continue }
            groups[next.value].timer = nil
            judge(next.value, now: now)
        }
    }
}

extension QueueState {
    /// Makes the group ready or blocked by its first outstanding message.
    mutating func judge(_ slot: Int, now: Int64) {
        if let first = groups[slot].handedOut.first {
            setReady(slot, first.until <= now)
            if first.until > now { setTimer(slot, first.until) }
        } else if let first = groups[slot].fresh.first {
            setReady(slot, first.visibleAt <= now)
            if first.visibleAt > now { setTimer(slot, first.visibleAt) }
        } else {
            setReady(slot, false)
        }
    }

    private mutating func setReady(_ slot: Int, _ isReady: Bool) {
        guard groups[slot].isReady != isReady else { return }
        groups[slot].isReady = isReady
        readyCount += isReady ? 1 : -1
        if isReady { ready.append(slot) }
    }

    /// A timer that stands earlier is left: when it comes, the group is judged and gets its next one.
    private mutating func setTimer(_ slot: Int, _ moment: Int64) {
        if let timer = groups[slot].timer, timer <= moment { return }
        groups[slot].timer = moment
        timers.push(moment, slot)
        if timers.count > 2 * groups.count + 64 { timers.keep { groups[$0.value].timer == $0.key } }
    }

    func slot(of group: Int64) -> Int? { slots[group] }

    /// The group's slot, made if it has none.
    mutating func openSlot(of group: Int64) -> Int {
        if let slot = slots[group] { return slot }
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = groups.count
            groups.append(QueueGroup())
        }
        groups[slot].reset(id: group)
        slots[group] = slot
        return slot
    }

    mutating func closeSlotIfIdle(_ slot: Int) {
        guard groups[slot].isIdle else { return }
        slots[groups[slot].id] = nil
        groups[slot].timer = nil
        freeSlots.append(slot)
    }

    mutating func markChanged(_ slot: Int) {
        guard !groups[slot].isChanged else { return }
        groups[slot].isChanged = true
        changedGroups.append(slot)
    }

    /// The lease no longer holds this entry.
    mutating func release(lease: Int64, index: Int) {
        leases[lease]?.gone |= 1 << UInt32(index)
        markLeaseChanged(lease)
        handedOutCount -= 1
    }

    mutating func markLeaseChanged(_ lease: Int64) {
        guard leases[lease]?.isChanged == false else { return }
        leases[lease]?.isChanged = true
        changedLeases.append(lease)
    }
}
