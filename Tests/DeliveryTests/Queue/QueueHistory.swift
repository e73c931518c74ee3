@testable import Delivery

/// One random life of a queue, judged step by step by `FIFOModel`: sends, receives, deletes, visibility changes, time,
/// owners that crash before or after a commit, owners that are deposed and do not know it.
struct QueueHistory {
    typealias Disagreement = FIFOModel.Disagreement

    struct Tally {
        var given = 0
        var givenAgain = 0
        var expiredHandles = 0
        var deadLetters = 0
        var crashes = 0
        var pendingRows = 0
        var refills = 0
    }

    private(set) var tally = Tally()
    private(set) var step = "start"

    private var random: HistoryGenerator
    private var settings = QueueState.Settings()
    private let groupCount: Int
    private var database = JournalDouble()
    private var epoch: Int
    private var state: QueueState
    private var now: Int64 = 1_000_000
    /// Refill results that are on their way.
    private var refills: [(group: Int64, messages: [QueueState.FreshMessage])] = []

    // The model as it is, and as it was at the last commit: what was not committed never happened.
    private var model: FIFOModel
    private var committedModel: FIFOModel
    private var handles: [ReceiptHandle] = []
    private var committedHandles: [ReceiptHandle] = []

    init(seed: UInt64) {
        random = HistoryGenerator(seed: seed)
        let maxReceiveCount = random.once(in: 2) ? random.number(1...4) : nil
        groupCount = random.number(1...(random.once(in: 2) ? 4 : 30))
        if random.once(in: 2) { settings.lowLag = Int64(random.number(0...20)) }
        if random.once(in: 2) { settings.freshPerGroup = random.number(1...8) }
        model = FIFOModel(maxReceiveCount: maxReceiveCount)
        committedModel = model
        epoch = database.takeOver()
        state = QueueState(settings: settings, maxReceiveCount: maxReceiveCount, now: now)
    }

    mutating func run() throws {
        for number in 1...random.number(20...90) {
            try takeStep(number)
        }
        try drain()
    }

    private mutating func takeStep(_ number: Int) throws {
        switch random.number(0...99) {
        case 0..<22:
            step = "\(number), send"
            send()
        case 22..<55:
            step = "\(number), receive"
            try receive()
        case 55..<75:
            step = "\(number), delete"
            for _ in 1...random.number(1...6) { try delete() }
        case 75..<84:
            step = "\(number), change visibility"
            try changeVisibility()
        case 84..<92:
            step = "\(number), time"
            now += Int64(random.number(1...15)) * 1_000
            if random.once(in: 2) { state.advance(to: now) }
        default:
            step = "\(number), crash"
            try crash()
            return
        }
        try requireTimers()
        if !random.once(in: 3) { try commit(scanLimit: random.number(0...200)) }
    }

    private mutating func send() {
        let group = Int64(random.number(0...groupCount - 1))
        let isOneGroup = random.once(in: 2)
        for _ in 1...random.number(1...(random.once(in: 10) ? 150 : 6)) {
            let group = isOneGroup ? group : Int64(random.number(0...groupCount - 1))
            let position = database.append(group: group)
            // The log is not the queue's: an append outlives the owner's crash.
            model.send(position, group: group)
            committedModel.send(position, group: group)
        }
    }

    private mutating func receive() throws {
        let max = random.number(1...10)
        let timeout = random.once(in: 6) ? 0 : Int64(random.number(1...30)) * 1_000
        let buriedBefore = state.deadLetters.count
        let given = state.receive(max: max, visibilityTimeout: timeout, now: now)
        let buried = state.deadLetters[buriedBefore...]
        let state = state
        try model.receive(
            given,
            deadLetters: Array(buried),
            max: max,
            visibilityTimeout: timeout,
            now: now,
            isKnown: { message, group in
                guard message.receiveCount == 0 else { return true }
                return message.position <= state.scannedThrough && !state.isBeyond(message.position, in: group)
            }
        )
        handles += given.map(\.handle)
        tally.given += given.count
        tally.givenAgain += given.count { $0.receiveCount > 1 }
        tally.deadLetters += buried.count
    }

    /// Mostly one of the last handles.
    private mutating func anyHandle() -> ReceiptHandle? {
        guard !handles.isEmpty else { return nil }
        let back = random.once(in: 4) ? handles.count : min(10, handles.count)
        return handles[handles.count - random.number(1...back)]
    }

    private mutating func delete() throws {
        guard let handle = anyHandle() else { return }
        try require(state.delete(handle, now: now), equals: model.delete(handle, now: now), for: handle)
    }

    private mutating func changeVisibility() throws {
        guard let handle = anyHandle() else { return }
        if random.once(in: 3) {
            return try require(state.giveBack(handle, now: now), equals: model.giveBack(handle), for: handle)
        }
        let timeout = random.once(in: 3) ? 0 : Int64(random.number(1...40)) * 1_000
        try require(
            state.changeVisibility(handle, visibilityTimeout: timeout, now: now),
            equals: model.changeVisibility(handle, to: now + timeout, now: now),
            for: handle
        )
    }

    private mutating func require(
        _ outcome: QueueState.HandleOutcome,
        equals expected: QueueState.HandleOutcome,
        for handle: ReceiptHandle
    ) throws {
        guard outcome == expected else {
            throw Disagreement(description: "\(handle): \(outcome) instead of \(expected)")
        }
        if outcome == .expired { tally.expiredHandles += 1 }
    }

    /// A blocked group must have a timer: nothing else wakes those who wait for it.
    private func requireTimers() throws {
        let next = state.nextTimer ?? .max
        for group in state.groups where state.slots[group.id] != nil && !group.isReady {
            guard let first = group.handedOut.first, first.until < next else { continue }
            throw Disagreement(description: "nothing wakes group \(group.id) at \(first.until)")
        }
    }

    private mutating func commit(scanLimit: Int) throws {
        let journal = state.flush()
        tally.pendingRows += journal.insertedPending.count
        guard try database.commit(journal, epoch: epoch) else {
            throw Disagreement(description: "the owner was deposed")
        }
        try requireInvariant()
        committedModel = model
        committedHandles = handles
        read(scanLimit: scanLimit)
    }

    /// Refill results come before or after what is scanned meanwhile.
    private mutating func read(scanLimit: Int) {
        for request in state.takeRefills(limit: random.number(1...20)) {
            refills.append((request.group, database.messages(request)))
            tally.refills += 1
        }
        if random.once(in: 2) { deliverRefills() }
        if state.wantsScan {
            for message in database.scan(after: state.scannedThrough, limit: scanLimit) {
                state.scanned(position: message.position, group: message.group)
            }
        }
        if random.once(in: 2) { deliverRefills() }
    }

    private mutating func deliverRefills() {
        for refill in refills { state.refilled(group: refill.group, messages: refill.messages) }
        refills = []
    }

    /// Every position up to `low` is deleted, in a lease, or behind a pending row.
    private func requireInvariant() throws {
        guard let newest = database.leases.values.max(by: { $0.id < $1.id }) else { return }
        let leased = Set(database.leases.values.flatMap { $0.entries.map(\.position) })
        let pending = Dictionary(database.pending.map { ($0.value, $0.key) }, uniquingKeysWith: min)
        for (group, messages) in model.groups {
            for message in messages where message.position <= newest.low && !leased.contains(message.position) {
                guard let from = pending[group], from <= message.position else {
                    throw Disagreement(description: "\(message.position) of group \(group) is lost below \(newest.low)")
                }
            }
        }
    }

    private mutating func crash() throws {
        tally.crashes += 1
        if random.once(in: 2) {
            model = committedModel
            handles = committedHandles
        } else {
            guard try database.commit(state.flush(), epoch: epoch) else {
                throw Disagreement(description: "the owner was deposed")
            }
        }
        let deposed = (state: state, epoch: epoch)
        epoch = database.takeOver()
        if random.once(in: 4) { try requireFence(deposed.state, epoch: deposed.epoch) }
        state = database.recoveredState(settings: settings, maxReceiveCount: model.maxReceiveCount, now: now)
        refills = []
        committedModel = model
        committedHandles = handles
        read(scanLimit: 500)
    }

    /// An owner that was only paused goes on: nothing of it may be written, so nobody may get its answer.
    private func requireFence(_ state: QueueState, epoch: Int) throws {
        var (state, database) = (state, database)
        _ = state.receive(max: 10, visibilityTimeout: 1_000, now: now)
        guard try !database.commit(state.flush(), epoch: epoch) else {
            throw Disagreement(description: "a deposed owner wrote")
        }
    }

    /// All that is outstanding comes, in order; then nothing is left anywhere.
    private mutating func drain() throws {
        step = "drain"
        now += 100_000_000
        state.maxReceiveCount = nil
        model.maxReceiveCount = nil
        var idleRounds = 0
        while idleRounds < 5 {
            try commit(scanLimit: 1_000)
            deliverRefills()
            let given = state.receive(max: 10, visibilityTimeout: 1_000, now: now)
            idleRounds = given.isEmpty ? idleRounds + 1 : 0
            for message in given {
                guard model.groups[message.handle.group]?.first?.position == message.handle.position else {
                    throw Disagreement(description: "\(message) is not its group's first")
                }
                _ = try model.receive(
                    [message],
                    deadLetters: [],
                    max: 1,
                    visibilityTimeout: 1_000,
                    now: now,
                    isKnown: { _, _ in false }
                )
                try require(
                    state.delete(message.handle, now: now),
                    equals: model.delete(message.handle, now: now),
                    for: message.handle
                )
            }
        }
        guard model.outstandingCount == 0 else {
            throw Disagreement(description: "\(model.outstandingCount) messages never came")
        }
        guard database.unfinishedLeaseCount == 0, database.pending.isEmpty else {
            throw Disagreement(description: "the journal is not empty")
        }
        let nothing = QueueState.Counts(waiting: 0, handedOut: 0, readyGroups: 0, groups: 0)
        guard state.counts == nothing, state.leases.isEmpty else {
            throw Disagreement(description: "the state is not empty: \(state.counts)")
        }
    }
}

extension QueueState {
    /// Whether a message that was never handed out waits for a refill.
    func isBeyond(_ position: Int64, in group: Int64) -> Bool {
        guard let slot = slots[group], let beyond = groups[slot].beyond else { return false }
        return beyond <= position
    }
}
