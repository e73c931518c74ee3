/// What a destination still has to get, and what may be sent to it now: a pure state machine.
///
/// Groups are products (0: events about none). A group's messages go out in order, and at most one batch with messages of
/// it is under way. The states of a group:
///
///     (none) ──scanned──► waiting ──batch──► under way ──accepted──► waiting, or (none)
///                            ▲                   ├──retry──► backing off, twice in a row: behind
///                            │                   └──refused──► parked ──released──► behind
///                            └──read back────────────────────────────────────────── behind
///
/// A group that is *behind* has messages in the log that are not in memory: they are read back by (product, position). A
/// *parked* group sends nothing until an operator releases it. Both are one *hold*, a row with the group's first message
/// that is not delivered, and the cursor does not wait for them; so neither memory nor the table grows with a backlog.
struct RelayState<Payload: Sendable>: Sendable {
    struct Message: Sendable {
        let position: Int64
        let group: Int64
        let bytes: Int
        let payload: Payload
    }

    struct Limits: Sendable {
        /// Messages in memory, about.
        var messages = 4_000
        /// Their bytes, about.
        var bytes = 32 << 20
        /// Messages of one group in memory.
        var group = 500
        /// Positions between the cursor and the last that was scanned, while the holds allow it: what may be sent again
        /// after a take-over.
        var window = 8_000
        /// Groups that are behind; no more is scanned then.
        var behind = 1_000
        /// Groups that are parked; further refusals are tried again instead.
        var parked = 10_000
        /// Batches under way.
        var batches = 8
        /// Messages of a batch, and of one group within it.
        var batch = 10
        var batchGroup = 1
        /// Bytes of a batch; a single message may exceed them.
        var batchBytes = 1 << 20
        var backoff = RelayBackoff.doubling
    }

    struct Batch: Sendable {
        let number: Int
        /// Each group's in order.
        let messages: [Message]
    }

    enum ReadingState: Sendable {
        case none, queued, underWay
    }

    struct Group: Sendable {
        /// To be sent before `waiting`: what came back from a batch.
        var head: [Message] = []
        var waiting = FirstInFirstOut<Message>()
        var underWay: [Message] = []
        /// From here to what was scanned, its messages are not in memory.
        var behind: Int64?
        /// A hold stands for it: the cursor does not wait for its messages.
        var isHeld = false
        /// It stands among those that are ready.
        var isQueued = false
        var reading = ReadingState.none
        var failures = 0
        var retryAt: Int64 = .min

        var count: Int { head.count + waiting.count + underWay.count }
        var hasSendable: Bool { !head.isEmpty || !waiting.isEmpty }
        var firstUndelivered: Int64? {
            // What is under way may not be the first: a later one of a batch can come back before it.
            let candidates = [underWay.first?.position, head.first?.position, waiting.first?.position, behind]
            return candidates.compactMap(\.self).min()
        }
    }

    let limits: Limits
    /// Every position up to here was looked at.
    private(set) var scannedThrough: Int64
    var groups: [Int64: Group] = [:]
    /// Parked groups with the first position that waits.
    var parked: [Int64: Int64] = [:]
    /// Positions in the order of the log that the cursor may have to wait for.
    private var window = FirstInFirstOut<(position: Int64, group: Int64)>()
    private var settled: Set<Int64> = []
    private var ready = FirstInFirstOut<Int64>()
    private var backingOff = MinimumHeap<Int64>()
    private var toRead = FirstInFirstOut<Int64>()
    private var batches: [Int: [Int64]] = [:]
    private var nextBatchNumber = 0
    private(set) var count = 0
    private(set) var bytes = 0
    private(set) var behindCount = 0
    /// The destination as a whole gave no answer: nothing is sent before this.
    private(set) var quietUntil: Int64 = .min
    private(set) var failures = 0
    /// What the next journal must say.
    var dirty: Set<Int64> = []
    var newlyParked: [RelayJournal.Parked] = []
    private(set) var savedCursor: Int64
    /// Up to here another owner had scanned: groups that are behind may begin only there.
    var reached: Int64

    /// - Parameters:
    ///   - cursor: As saved.
    ///   - holds: As saved.
    ///   - known: The last position that the destination is known to hold; nil when it cannot tell. When that lies before
    ///     the cursor, the destination has lost what it took, and all after it is sent again.
    init(cursor: Int64, holds: [RelayHold] = [], known: Int64? = nil, limits: Limits = Limits()) {
        self.limits = limits
        savedCursor = cursor
        scannedThrough = min(cursor, max(0, known ?? cursor))
        reached = holds.filter { !$0.isParked }.map(\.from).max() ?? cursor
        let isRewound = scannedThrough < cursor
        for hold in holds {
            let from = isRewound ? min(hold.from, scannedThrough + 1) : hold.from
            guard !hold.isParked else {
                parked[hold.group] = from
                continue
            }
            groups[hold.group] = Group(failures: hold.failures, retryAt: hold.retryAt ?? .min)
            fallBehind(hold.group, from: from)
        }
        dirty = isRewound ? Set(holds.map(\.group)) : []
    }

    /// Every message up to here was accepted, parked or held. Never goes back, whatever a destination has lost.
    var cursor: Int64 { max(savedCursor, window.first.map { $0.position - 1 } ?? scannedThrough) }

    var batchesUnderWay: Int { batches.count }
    /// Nothing waits but what is parked.
    var isDrained: Bool { groups.isEmpty }
    /// There is room for more.
    var wantsScan: Bool {
        count < limits.messages && bytes < limits.bytes && window.count < 2 * limits.window
            && (behindCount < limits.behind || scannedThrough < reached)
    }

    // MARK: - What the log holds

    /// Takes what a scan found after `scannedThrough`, in order.
    mutating func scanned(_ messages: [Message], through: Int64) {
        for message in messages { take(message) }
        scannedThrough = max(scannedThrough, through)
        while window.count > limits.window, behindCount < limits.behind, let first = window.first {
            hold(first.group)
            advance()
            guard window.first?.position != first.position else { break }
        }
    }

    private mutating func take(_ message: Message) {
        // What lies before a hold was delivered.
        if parked[message.group] != nil || groups[message.group]?.behind != nil { return }
        var group = groups.removeValue(forKey: message.group) ?? Group()
        if group.count >= limits.group || (group.isHeld && group.failures > 0) {
            groups[message.group] = group
            fallBehind(message.group, from: message.position)
            return
        }
        group.waiting.append(message)
        count += 1
        bytes += message.bytes
        if !group.isHeld { window.append((message.position, message.group)) }
        groups[message.group] = group
        makeReady(message.group)
    }

    /// A group whose messages are to be read back.
    struct Reading: Sendable {
        let group: Int64
        let from: Int64
        let through: Int64
    }

    /// At most `limit` groups whose messages are to be read back now.
    mutating func takeReadings(limit: Int, now: Int64) -> [Reading] {
        var readings: [Reading] = []
        for _ in 0..<toRead.count where readings.count < limit && count < 2 * limits.messages {
            guard let number = toRead.popFirst() else { break }
            guard var group = groups[number], let behind = group.behind, group.reading == .queued else { continue }
            guard behind <= scannedThrough, group.retryAt <= now else {
                toRead.append(number)
                continue
            }
            group.reading = .underWay
            groups[number] = group
            readings.append(Reading(group: number, from: behind, through: scannedThrough))
        }
        return readings
    }

    /// Takes what was read back, in order; `isWhole`: there is no more of it up to the reading's end.
    mutating func readBack(_ reading: Reading, _ messages: [Message], isWhole: Bool) {
        guard var group = groups[reading.group], group.reading == .underWay else { return }
        group.reading = .none
        for message in messages {
            group.waiting.append(message)
            count += 1
            bytes += message.bytes
        }
        let next = isWhole ? reading.through + 1 : (messages.last?.position ?? reading.through) + 1
        group.behind = isWhole && reading.through >= scannedThrough ? nil : next
        if group.behind == nil { behindCount -= 1 }
        groups[reading.group] = group
        settleGroup(reading.group)
    }

    // MARK: - Sending

    /// The next batch, if one may be sent now. A small one waits for company while others are under way.
    mutating func nextBatch(now: Int64) -> Batch? {
        guard now >= quietUntil, batches.count < (failures > 0 ? 1 : limits.batches) else { return nil }
        while let first = backingOff.first, first.key <= now {
            backingOff.popFirst()
            makeReady(first.value)
        }
        guard ready.count >= limits.batch || batches.count < 2 else { return nil }
        var messages: [Message] = []
        var members: [Int64] = []
        var batchBytes = 0
        for _ in 0..<ready.count where messages.count < limits.batch {
            guard let number = ready.popFirst(), var group = groups[number], group.isQueued else { continue }
            group.isQueued = false
            if group.retryAt > now {
                backingOff.push(group.retryAt, number)
                groups[number] = group
                continue
            }
            let room = min(limits.batchGroup, limits.batch - messages.count)
            let taken = group.takeUnderWay(
                atMost: room,
                bytes: limits.batchBytes - batchBytes,
                orFirst: messages.isEmpty
            )
            groups[number] = group
            guard !taken.isEmpty else {
                makeReady(number)
                break
            }
            messages += taken
            members.append(number)
            batchBytes += taken.reduce(0) { $0 + $1.bytes }
        }
        guard !messages.isEmpty else { return nil }
        nextBatchNumber += 1
        batches[nextBatchNumber] = members
        return Batch(number: nextBatchNumber, messages: messages)
    }

    /// When something may be sent that may not be now; nil: no timer runs.
    var nextTimer: Int64? {
        let soonest = [quietUntil > .min ? quietUntil : nil, backingOff.first?.key].compactMap(\.self)
        return soonest.min()
    }
}

// MARK: - Bookkeeping

extension RelayState {
    mutating func ended(_ batch: Batch) { batches[batch.number] = nil }

    mutating func forget(_ message: Message) {
        count -= 1
        bytes -= message.bytes
    }

    /// The cursor need not wait for a position any more.
    mutating func settle(_ position: Int64) { settled.insert(position) }

    /// Moves the window on over what is settled.
    mutating func advance() {
        while let first = window.first, settled.remove(first.position) != nil { window.popFirst() }
    }

    mutating func succeeded() {
        failures = 0
        quietUntil = .min
    }

    /// - Parameter after: the destination asks to be left alone for so long.
    mutating func failed(now: Int64, after: Duration) {
        failures += 1
        quietUntil = now + max(limits.backoff.destination(failures), after.microseconds)
    }

    mutating func makeReady(_ number: Int64) {
        guard var group = groups[number], !group.isQueued, group.underWay.isEmpty, group.hasSendable else { return }
        group.isQueued = true
        groups[number] = group
        ready.append(number)
    }

    mutating func backOff(_ number: Int64, until: Int64) {
        guard var group = groups[number] else { return }
        group.retryAt = until
        let waits = group.hasSendable && !group.isQueued
        groups[number] = group
        if waits { backingOff.push(until, number) }
    }

    /// A hold stands for the group from now on.
    mutating func hold(_ number: Int64) {
        guard var group = groups[number], !group.isHeld else { return }
        group.isHeld = true
        groups[number] = group
        dirty.insert(number)
        // In the window stand only positions of groups that are not held.
        for message in group.underWay + group.head { settle(message.position) }
        for message in group.waiting.inOrder { settle(message.position) }
    }

    /// The group's messages from a position on are to be read back; those before it that are in memory stay.
    mutating func fallBehind(_ number: Int64, from: Int64) {
        if groups[number] == nil { groups[number] = Group() }
        hold(number)
        guard var group = groups[number] else { return }
        if group.behind == nil { behindCount += 1 }
        group.behind = min(group.behind ?? from, from)
        groups[number] = group
        dirty.insert(number)
        settleGroup(number)
    }

    /// Sees to what comes next for a group of which something was delivered, read or given up.
    mutating func settleGroup(_ number: Int64) {
        guard var group = groups[number] else { return }
        if group.isHeld { dirty.insert(number) }
        if group.count > 0 {
            makeReady(number)
        } else if group.behind == nil {
            groups[number] = nil
        } else if group.reading == .none {
            group.reading = .queued
            groups[number] = group
            toRead.append(number)
        }
    }

    mutating func endedBehind() { behindCount -= 1 }

    mutating func setSavedCursor(_ position: Int64) { savedCursor = max(savedCursor, position) }
}

extension RelayState.Group {
    /// Moves messages from the front to those under way.
    ///
    /// - Parameter isFirst: The batch is empty: one message goes whatever its size.
    mutating func takeUnderWay(atMost room: Int, bytes: Int, orFirst isFirst: Bool) -> [RelayState.Message] {
        var left = bytes
        while underWay.count < room, let next = head.first ?? waiting.first {
            guard next.bytes <= left || (isFirst && underWay.isEmpty) else { break }
            left -= next.bytes
            if head.isEmpty { waiting.popFirst() } else { head.removeFirst() }
            underWay.append(next)
        }
        return underWay
    }
}
