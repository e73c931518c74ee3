import EventLog
import LibPQ
import Logging

/// The time of owning a destination: one task keeps the states, sends run beside it.
struct RelayOwner {
    private enum Arrival: Sendable {
        case sent(source: Int32, RelayState<OutgoingEvent>.Batch, [SendOutcome])
        case woken
    }

    private let relay: DestinationRelay
    private let taken: RelayStore.Taken
    private let destination: any Destination
    private let logger: Logger
    private let lease: RelayLease
    private let clock = SteadyClock()
    /// The log as it grows first, then replays.
    private var sources: [RelaySource] = []
    private var logEnd: Int64 = 0
    private var lastPoll: ContinuousClock.Instant?
    private var lastRenewal: ContinuousClock.Instant
    private var lastSave: ContinuousClock.Instant?
    private var underWay = 0
    /// What last went wrong and is not yet written down.
    private var error: String?
    private var isQuiet = false

    private var store: RelayStore { relay.store }
    private var settings: DestinationRelay.Settings { relay.settings }

    init(
        _ relay: DestinationRelay,
        _ taken: RelayStore.Taken,
        _ destination: any Destination,
        since before: ContinuousClock.Instant,
        logger: Logger
    ) {
        self.relay = relay
        self.taken = taken
        self.destination = destination
        self.logger = logger
        lease = RelayLease(until: before + relay.settings.lease)
        lastRenewal = before
    }

    /// Reads what the owner before has left.
    mutating func begin(known: Int64?) async throws {
        let holds = try await store.holds()
        if let known, known < taken.cursor {
            logger.warning("the destination has lost what it took; sending again", metadata: ["after": "\(known)"])
        }
        let state = RelayState<OutgoingEvent>(
            cursor: taken.cursor,
            holds: holds[RelaySource.live] ?? [],
            known: known,
            limits: limits
        )
        sources = [
            RelaySource(number: RelaySource.live, range: nil, selection: taken.destination.selection, state: state)
        ]
        try await openReplays(holds)
    }

    private var limits: RelayState<OutgoingEvent>.Limits {
        var limits = RelayState<OutgoingEvent>.Limits()
        limits.batch = destination.batchLimit
        limits.batchGroup = destination.batchGroupLimit
        limits.batchBytes = destination.batchBytes
        if destination.isSequential {
            limits.batches = 1
            limits.group = .max
        }
        return limits
    }

    /// As the destination orders them: by product, or all as one group.
    private func grouped(_ found: [RelayState<OutgoingEvent>.Message]) -> [RelayState<OutgoingEvent>.Message] {
        guard destination.isSequential else { return found }
        return found.map { RelayState.Message(position: $0.position, group: 0, bytes: $0.bytes, payload: $0.payload) }
    }

    /// Relays until the destination is lost, throwing, or the relay is told to stop.
    mutating func run() async throws {
        var owner = self
        try await withThrowingTaskGroup(of: Arrival.self) { group in
            var isWaking = false
            while true {
                guard !owner.lease.isOver else { throw DestinationError("the lease is over") }
                let isStopping = owner.relay.stop.isSet
                if !isStopping {
                    try await owner.read()
                    owner.send(in: &group)
                }
                try await owner.renew()
                try await owner.save(now: isStopping && owner.underWay == 0)
                if isStopping, owner.underWay == 0 { break }
                if !isWaking {
                    isWaking = true
                    // While stopping nothing is read: growth is no reason to wake.
                    let seen = isStopping ? Int64.max : owner.logEnd
                    let (log, time) = (owner.relay.log, owner.waitingTime)
                    group.addTask {
                        await log.waitForGrowth(beyond: seen, atMost: time)
                        return .woken
                    }
                }
                guard let arrival = try await group.next() else { break }
                switch arrival {
                case .woken: isWaking = false
                case .sent(let source, let batch, let outcomes):
                    owner.completed(source, batch, outcomes)
                    if let reason = owner.mustReopen(outcomes) { throw DestinationError(reason) }
                }
            }
            group.cancelAll()
        }
        try await store.leave(taken.epoch, error: owner.error)
    }

    /// How long the relay may sleep when nothing wakes it.
    private var waitingTime: Duration {
        var time = settings.poll
        let now = clock.microseconds
        for source in sources {
            if let timer = source.state.nextTimer, timer > now { time = min(time, .microseconds(timer - now)) }
        }
        return time
    }
}

// MARK: - Reading

extension RelayOwner {
    /// Fills the states from the log, as far as they have room.
    private mutating func read() async throws {
        logEnd = max(logEnd, relay.log.lastKnownPosition)
        let now = ContinuousClock.now
        if lastPoll.map({ now - $0 >= settings.poll }) ?? true {
            lastPoll = now
            logEnd = max(logEnd, try await store.end())
        }
        for index in sources.indices {
            try await scan(index)
            try await readBack(index)
        }
    }

    private mutating func scan(_ index: Int) async throws {
        let source = sources[index]
        let end = source.end(of: logEnd)
        guard source.state.wantsScan, source.state.scannedThrough < end else { return }
        let after = source.state.scannedThrough
        let through = min(end, after + RelaySource.span)
        let found = try await store.scan(
            replay: source.number,
            after: after,
            through: through,
            types: source.types,
            products: source.products,
            limit: settings.scanLimit
        )
        let isWhole = found.count < Int(settings.scanLimit)
        sources[index].state.scanned(grouped(found), through: isWhole ? through : found.last?.position ?? through)
    }

    private mutating func readBack(_ index: Int) async throws {
        let readings = sources[index].state.takeReadings(limit: settings.readingLimit, now: clock.microseconds)
        for reading in readings {
            let found = try await store.readBack(
                replay: sources[index].number,
                reading,
                types: sources[index].types,
                limit: settings.readingSize
            )
            sources[index].state.readBack(reading, found, isWhole: found.count < Int(settings.readingSize))
        }
    }
}

// MARK: - Sending

extension RelayOwner {
    private mutating func send(in group: inout ThrowingTaskGroup<Arrival, any Error>) {
        let now = clock.microseconds
        for index in sources.indices {
            let number = sources[index].number
            while let batch = sources[index].state.nextBatch(now: now) {
                underWay += 1
                let (destination, lease) = (destination, lease)
                group.addTask {
                    // The last look before the wire: whoever was stopped here for long is the owner no more.
                    guard !lease.isOver else {
                        return .sent(
                            source: number,
                            batch,
                            batch.messages.map { _ in .unavailable("the lease is over") }
                        )
                    }
                    return .sent(source: number, batch, await destination.send(batch.messages.map(\.payload)))
                }
            }
        }
    }

    private mutating func completed(
        _ number: Int32,
        _ batch: RelayState<OutgoingEvent>.Batch,
        _ outcomes: [SendOutcome]
    ) {
        underWay -= 1
        guard let index = sources.firstIndex(where: { $0.number == number }) else { return }
        sources[index].state.completed(batch, outcomes, now: clock.microseconds)
        var unavailable: String?
        for (message, outcome) in zip(batch.messages, outcomes) {
            switch outcome {
            case .accepted: continue
            case .retry(let reason): error = reason
            case .unavailable(let reason): (error, unavailable) = (reason, reason)
            case .refused(let reason):
                error = "refused \(message.position): \(reason)"
                let metadata: Logger.Metadata = ["position": "\(message.position)", "reason": "\(reason)"]
                logger.warning("an event was refused for good and is parked", metadata: metadata)
            }
        }
        report(unavailable)
    }

    /// Why a sequential destination must be opened again: only that tells what it holds.
    private func mustReopen(_ outcomes: [SendOutcome]) -> String? {
        guard destination.isSequential else { return nil }
        for case .unavailable(let reason) in outcomes { return reason }
        return nil
    }

    /// The log tells when a destination goes away and when it is back, not of each attempt.
    private mutating func report(_ unavailable: String?) {
        guard (unavailable != nil) != isQuiet else { return }
        isQuiet = unavailable != nil
        if let unavailable {
            logger.warning("the destination does not answer; trying again", metadata: ["reason": "\(unavailable)"])
        } else {
            logger.notice("the destination answers again")
        }
    }
}

// MARK: - What is written down

extension RelayOwner {
    /// Saves cursors, parked events and holds, a few times a second at most.
    private mutating func save(now isDue: Bool) async throws {
        let now = ContinuousClock.now
        guard isDue || lastSave.map({ now - $0 >= settings.saving }) ?? true else { return }
        lastSave = now
        for index in sources.indices {
            guard let journal = sources[index].state.takeJournal() else { continue }
            try await store.save(journal, replay: sources[index].number, epoch: taken.epoch)
        }
        for source in sources where source.isFinished {
            try await store.finish(replay: source.number)
            logger.info("a replay is delivered", metadata: ["replay": "\(source.number)"])
        }
        sources.removeAll(where: \.isFinished)
    }

    /// Renews the lease, and looks what operators want.
    private mutating func renew() async throws {
        let before = ContinuousClock.now
        guard before - lastRenewal >= settings.renewal else { return }
        guard await !destination.isBroken else { throw DestinationError("the connection was lost") }
        let revision = try await store.keep(taken.epoch, lease: settings.lease, error: error)
        guard let revision else { throw DestinationError("another process owns it, or it is paused") }
        guard revision == taken.revision else { throw DestinationError("it was changed") }
        lease.renew(until: before + settings.lease)
        lastRenewal = before
        error = nil
        for released in try await store.released() {
            guard let index = sources.firstIndex(where: { $0.number == released.replay }) else { continue }
            sources[index].state.released(released.group, from: released.from)
        }
        try await openReplays(nil)
    }

    /// Opens replays that were started since.
    ///
    /// - Parameter holds: as just read, if so.
    private mutating func openReplays(_ holds: [Int32: [RelayHold]]?) async throws {
        guard sources.count <= settings.replayLimit else { return }
        let replays = try await store.replays().filter { replay in !sources.contains { $0.number == replay.number } }
        guard !replays.isEmpty else { return }
        let known: [Int32: [RelayHold]]
        if let holds { known = holds } else { known = try await store.holds() }
        for replay in replays where sources.count <= settings.replayLimit {
            var limits = limits
            // Live events go first, and keep most of the room.
            limits.batches = min(limits.batches, 2)
            limits.messages /= 4
            let state = RelayState<OutgoingEvent>(
                cursor: replay.cursor,
                holds: known[replay.number] ?? [],
                limits: limits
            )
            sources.append(
                RelaySource(
                    number: replay.number,
                    range: replay.range,
                    selection: taken.destination.selection,
                    state: state
                )
            )
        }
    }
}
