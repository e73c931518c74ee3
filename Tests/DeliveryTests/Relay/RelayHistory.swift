import Testing

@testable import Delivery

/// Random histories of a relay against a model of the log, the destination and the saved rows: sends with every outcome,
/// crashes with what is under way accepted or not, operators who release what is parked.
///
/// Throughout, a group's messages are accepted for the first time in order, the saved cursor never goes back, memory and
/// rows stay bounded; in the end every message was accepted or skipped.
struct RelayHistory {
    private var random: HistoryGenerator
    private let seed: UInt64
    private let limits: RelayState<Int64>.Limits
    private var state: RelayState<Int64>
    private var now: Int64 = 0
    /// The group of each position, from 1.
    private var log: [Int64] = []
    private var poison: Set<Int64> = []
    private var skipped: Set<Int64> = []
    private var accepted: Set<Int64> = []
    private var lastAccepted: [Int64: Int64] = [:]
    private var underWay: [RelayState<Int64>.Batch] = []
    private var savedCursor: Int64 = 0
    private var savedHolds: [Int64: RelayHold] = [:]
    private var savedParked: Set<Int64> = []
    private var isDown = false
    /// Later ones of a group are taken though an earlier one of the same batch was not; only with one a group.
    private var stopsAtFirst: Bool { limits.batchGroup > 1 }

    init(seed: UInt64, batchGroup: Int) {
        self.seed = seed
        random = HistoryGenerator(seed: seed)
        var limits = RelayState<Int64>.Limits()
        limits.messages = 40
        limits.bytes = 4_000
        limits.group = 6
        limits.window = 30
        limits.behind = 5
        limits.parked = 4
        limits.batches = 3
        limits.batch = 5
        limits.batchGroup = batchGroup
        limits.batchBytes = 300
        self.limits = limits
        state = RelayState(cursor: 0, limits: limits)
    }

    mutating func run(steps: Int) {
        for _ in 0..<steps { step() }
        poison = []
        isDown = false
        var rounds = 0
        while !isFinished, rounds < 20_000 {
            rounds += 1
            now += 70_000_000
            scan()
            readBack()
            send()
            if !underWay.isEmpty { answer(kindly: true) }
            save()
            releaseOne()
        }
        let missing = (1...max(1, log.count)).map(Int64.init).filter { position in
            position <= log.count && !accepted.contains(position) && !skipped.contains(position)
        }
        #expect(missing.first == nil, "seed \(seed): never delivered")
        #expect(savedCursor == Int64(log.count), "seed \(seed)")
        #expect(savedHolds.isEmpty, "seed \(seed)")
        #expect(state.count == 0 && state.bytes == 0 && state.behindCount == 0, "seed \(seed): leaks")
    }

    private var isFinished: Bool {
        savedCursor == Int64(log.count) && savedHolds.isEmpty && underWay.isEmpty && state.isDrained
    }

    private mutating func step() {
        now += Int64(random.number(0...300_000))
        switch random.number(1...20) {
        case 1...4: grow()
        case 5...8: scan()
        case 9...11: send()
        case 12...15: if !underWay.isEmpty { answer(kindly: false) }
        case 16: readBack()
        case 17...18: save()
        case 19: releaseOne()
        default:
            if random.once(in: 8) { isDown.toggle() }
            if random.once(in: 6) { crash() }
        }
        #expect(state.count <= limits.messages + limits.group + 120, "seed \(seed): memory")
        #expect(state.behindCount <= limits.behind + limits.batch * limits.batches + 5, "seed \(seed): behind")
        #expect(savedHolds.values.filter(\.isParked).count <= limits.parked, "seed \(seed): parked")
    }

    private mutating func grow() {
        for _ in 0..<random.number(1...6) {
            // A few busy groups, many quiet ones.
            log.append(Int64(random.once(in: 2) ? random.number(0...2) : random.number(3...25)))
            if random.once(in: 40) { poison.insert(Int64(log.count)) }
        }
    }

    private func messages(_ positions: some Sequence<Int64>) -> [RelayState<Int64>.Message] {
        positions.filter { !skipped.contains($0) }.map {
            RelayState.Message(position: $0, group: log[Int($0 - 1)], bytes: 90, payload: $0)
        }
    }

    private mutating func scan() {
        guard state.wantsScan, state.scannedThrough < log.count else { return }
        let through = min(Int64(log.count), state.scannedThrough + Int64(random.number(1...10)))
        state.scanned(messages((state.scannedThrough + 1)...through), through: through)
    }

    private mutating func readBack() {
        for reading in state.takeReadings(limit: 3, now: now) {
            let all =
                reading.from > reading.through
                ? []
                : (reading.from...reading.through).filter {
                    log[Int($0 - 1)] == reading.group
                }
            let some = all.prefix(4)
            state.readBack(reading, messages(some), isWhole: some.count == all.count)
        }
    }

    private mutating func send() {
        while let batch = state.nextBatch(now: now) {
            let groups = Set(batch.messages.map(\.group))
            for other in underWay {
                #expect(groups.isDisjoint(with: other.messages.map(\.group)), "seed \(seed): two batches of one group")
            }
            #expect(batch.messages.count <= limits.batch, "seed \(seed)")
            #expect(batch.messages.map(\.bytes).reduce(0, +) <= limits.batchBytes, "seed \(seed)")
            underWay.append(batch)
        }
    }

    private mutating func answer(kindly: Bool) {
        let batch = underWay.remove(at: random.number(0...(underWay.count - 1)))
        var stopped: Set<Int64> = []
        var outcomes: [SendOutcome] = []
        for message in batch.messages {
            let outcome = stopped.contains(message.group) ? .retry("stopped") : outcome(of: message, kindly: kindly)
            if case .accepted = outcome { accept(message) } else if stopsAtFirst { stopped.insert(message.group) }
            outcomes.append(outcome)
        }
        state.completed(batch, outcomes, now: now)
    }

    private mutating func outcome(of message: RelayState<Int64>.Message, kindly: Bool) -> SendOutcome {
        if kindly { return .accepted }
        if isDown { return .unavailable("down") }
        if poison.contains(message.position) { return .refused("poison") }
        return random.once(in: 6) ? .retry("busy") : .accepted
    }

    private mutating func accept(_ message: RelayState<Int64>.Message) {
        guard accepted.insert(message.position).inserted else { return }
        let last = lastAccepted[message.group] ?? 0
        #expect(last < message.position, "seed \(seed): group \(message.group) has \(message.position) after \(last)")
        let between = ((last + 1)..<message.position).filter {
            log[Int($0 - 1)] == message.group && !skipped.contains($0)
        }
        #expect(between.isEmpty, "seed \(seed): group \(message.group) lacks \(between) before \(message.position)")
        lastAccepted[message.group] = message.position
    }

    private mutating func save() {
        guard let journal = state.takeJournal() else { return }
        #expect(journal.cursor >= savedCursor, "seed \(seed): the cursor went back")
        savedCursor = journal.cursor
        for hold in journal.holds { savedHolds[hold.group] = hold }
        for group in journal.ended { savedHolds[group] = nil }
        for parked in journal.parked { savedParked.insert(parked.position) }
    }

    /// As the command does it: only what is written down as parked.
    private mutating func releaseOne() {
        guard let hold = savedHolds.values.filter(\.isParked).min(by: { $0.group < $1.group }) else { return }
        #expect(savedParked.contains(hold.from), "seed \(seed): a hold without its parked event")
        if random.once(in: 2) { skipped.insert(hold.from) } else { poison.remove(hold.from) }
        savedParked.remove(hold.from)
        savedHolds[hold.group] = RelayHold(group: hold.group, from: hold.from, isParked: false)
        if random.once(in: 2) { state.released(hold.group, from: hold.from) } else { crash() }
    }

    /// Another owner begins with what is saved; what was under way may still arrive before it sends.
    private mutating func crash() {
        for batch in underWay where random.once(in: 2) {
            var stopped: Set<Int64> = []
            for message in batch.messages where !stopped.contains(message.group) {
                if poison.contains(message.position) || random.once(in: 3) {
                    stopped.insert(message.group)
                } else {
                    accept(message)
                }
            }
        }
        underWay = []
        state = RelayState(cursor: savedCursor, holds: Array(savedHolds.values), limits: limits)
    }
}
