import Catalog
import EventLog
import LibPQ
import Logging

/// The time of owning a destination: one task keeps the states, sends run beside it.
struct RelayOwner {
    private enum Ending {
        case changed
        /// The destination wants no more: it is disabled.
        case goodbye(String)
        /// Only opening it again tells what it holds.
        case reopening(String)
    }

    private enum Arrival: Sendable {
        case sent(source: Int32, RelayState<OutgoingEvent>.Batch, [SendOutcome])
        case woken
    }

    private let relay: DestinationRelay
    private let taken: RelayStore.Taken
    private let destination: any Destination
    private let logger: Logger
    private let lease: RelayLease
    private let meter: DestinationMeter
    private let clock = SteadyClock()
    /// The log as it grows first, then replays.
    private var sources: [RelaySource] = []
    private var logEnd: Int64 = 0
    private var lastPoll: ContinuousClock.Instant?
    private var lastRenewal: ContinuousClock.Instant
    private var lastSave: ContinuousClock.Instant?
    private var underWay = 0
    /// The destination has taken an event.
    private(set) var hasSent = false
    /// Why nothing more is sent, once it is so: what is under way is waited for and written down.
    private var ending: Ending?
    private var stoppingSince: ContinuousClock.Instant?
    /// What last went wrong and is not yet written down.
    private var error: String?
    private var isQuiet = false
    /// Whether the destination as a whole gave no proper answer when it was last asked; nil: not asked since.
    private var isFailing: Bool?
    /// Answers in a row that were none, to this owner.
    private var unanswered = 0
    /// So many, before patience may be at an end: what a server did not ask while it was down is no one's fault.
    private static let leastUnanswered = 10

    private var store: RelayStore { relay.store }
    private var settings: DestinationRelay.Settings { relay.settings }

    init(
        _ relay: DestinationRelay,
        _ taken: RelayStore.Taken,
        _ destination: any Destination,
        _ lease: RelayLease,
        logger: Logger
    ) {
        self.relay = relay
        self.taken = taken
        self.destination = destination
        self.logger = logger
        self.lease = lease
        lastRenewal = .now - relay.settings.renewal
        meter = DestinationMeter(relay.log.metrics, taken.destination)
    }

    /// Reads what the owner before has left.
    mutating func begin(known: Int64?) async throws {
        let holds = try await store.holds()
        let known = try await self.known(known)
        let products = Set(taken.destination.selection.products)
        let isAll = products.isEmpty || destination.isSequential
        let isSelected = { (hold: RelayHold) in isAll || products.contains(hold.group) }
        var state = RelayState<OutgoingEvent>(
            cursor: taken.cursor,
            holds: (holds[RelaySource.live] ?? []).filter(isSelected),
            known: known,
            limits: limits
        )
        // A changed filter lets these go; what was parked of them stays written down.
        if !destination.isSequential {
            for hold in holds[RelaySource.live] ?? [] where !isSelected(hold) { state.dirty.insert(hold.group) }
        }
        sources = [
            RelaySource(number: RelaySource.live, range: nil, selection: taken.destination.selection, state: state)
        ]
        try await openReplays(holds)
    }

    /// Up to where the destination holds everything, if that is less than what was saved.
    ///
    /// - Throws: when it holds what the log has not: the log has lost its tail, or it is another one.
    private func known(_ told: Int64?) async throws -> Int64? {
        guard let told else { return nil }
        let end = try await store.end()
        guard told <= end else {
            throw DestinationError("the destination holds events up to \(told), and the log ends at \(end)")
        }
        // What lies between may be nothing that is selected: then nothing was lost.
        var after = told
        while after < taken.cursor {
            let through = min(taken.cursor, after + RelaySource.span)
            let found = try await store.scan(
                replay: RelaySource.live,
                after: after,
                through: through,
                types: taken.destination.selection.types.map(\.rawValue),
                products: taken.destination.selection.products,
                limit: 1
            )
            guard found.isEmpty else {
                logger.warning("the destination has lost what it took; sending again", metadata: ["after": "\(told)"])
                return told
            }
            after = through
        }
        return nil
    }

    private var limits: RelayState<OutgoingEvent>.Limits {
        var limits = RelayState<OutgoingEvent>.Limits()
        limits.batch = destination.batchLimit
        limits.batchGroup = destination.batchGroupLimit
        limits.batchBytes = destination.batchBytes
        limits.batches = destination.concurrency
        limits.backoff = destination.backoff
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
                let isEnding = owner.isEnding
                var hasMore = false
                if !isEnding {
                    hasMore = try await owner.read()
                    owner.send(in: &group)
                }
                try await owner.renew()
                try await owner.save(now: isEnding && owner.underWay == 0)
                if isEnding, owner.underWay == 0 { break }
                if owner.isStoppingTooLong { group.cancelAll() }
                if !isWaking {
                    isWaking = true
                    // While ending nothing is read: growth is no reason to wake.
                    let seen = isEnding ? Int64.max : owner.logEnd
                    let (log, time) = (owner.relay.log, hasMore ? .zero : owner.waitingTime)
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
                    owner.ending = owner.ending ?? owner.ending(after: outcomes)
                }
            }
            group.cancelAll()
        }
        self = owner
        switch ending {
        case .goodbye(let reason): try await disable(reason)
        case .reopening(let reason): throw DestinationError(reason)
        case .changed, nil: break
        }
        try await store.leave(taken.epoch, error: error)
    }

    private var isEnding: Bool { ending != nil || relay.stop.isSet }

    /// What is under way when the relay is told to stop is not waited for without end.
    private var isStoppingTooLong: Bool {
        mutating get {
            guard relay.stop.isSet else { return false }
            let since = stoppingSince ?? .now
            stoppingSince = since
            return ContinuousClock.now - since >= settings.stopping
        }
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
    /// Fills the states from the log, as far as they have room; true when there is room still, and more to look at.
    private mutating func read() async throws -> Bool {
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
        return sources.contains { $0.state.wantsScan && $0.state.scannedThrough < $0.end(of: logEnd) }
    }

    private mutating func scan(_ index: Int) async throws {
        let source = sources[index]
        let end = source.end(of: logEnd)
        guard source.state.wantsScan, source.state.scannedThrough < end else { return }
        let after = source.state.scannedThrough
        let through = min(end, after + RelaySource.span)
        let found = try await scan(index, after: after, through: through, limit: settings.scanLimit)
        let isWhole = found.count < Int(settings.scanLimit)
        sources[index].state.scanned(found, through: isWhole ? through : found.last?.position ?? through)
    }

    private mutating func readBack(_ index: Int) async throws {
        let readings = sources[index].state.takeReadings(limit: settings.readingLimit, now: clock.microseconds)
        for var reading in readings {
            let found: [RelayState<OutgoingEvent>.Message]
            if destination.isSequential {
                // Its one group has the events of all products.
                let through = min(reading.through, reading.from - 1 + RelaySource.span)
                reading = RelayState.Reading(group: reading.group, from: reading.from, through: through)
                found = try await scan(index, after: reading.from - 1, through: through, limit: settings.readingSize)
            } else {
                found = try await store.readBack(
                    replay: sources[index].number,
                    reading,
                    types: sources[index].types,
                    limit: settings.readingSize
                )
            }
            sources[index].state.readBack(reading, found, isWhole: found.count < Int(settings.readingSize))
        }
    }

    private func scan(
        _ index: Int,
        after: Int64,
        through: Int64,
        limit: Int32
    ) async throws -> [RelayState<OutgoingEvent>.Message] {
        let source = sources[index]
        return grouped(
            try await store.scan(
                replay: source.number,
                after: after,
                through: through,
                types: source.types,
                products: source.products,
                limit: limit
            )
        )
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
                let (destination, lease, stop, meter) = (destination, lease, relay.stop, meter)
                group.addTask {
                    // The last look before the wire: whoever was stopped here for long is the owner no more.
                    guard !lease.isOver else {
                        return .sent(source: number, batch, batch.messages.map { _ in SendPermit.ended })
                    }
                    let permit = SendPermit { !lease.isOver && !stop.isSet }
                    let outcomes = await meter.send(batch.messages.map(\.payload), to: destination, permit)
                    return .sent(source: number, batch, outcomes)
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
            case .accepted: hasSent = true
            case .retry(let reason, _): error = reason
            case .unavailable(let reason, _), .gone(let reason): (error, unavailable) = (reason, reason)
            case .refused(let reason):
                error = "refused \(message.position): \(reason)"
                let metadata: Logger.Metadata = ["position": "\(message.position)", "reason": "\(reason)"]
                logger.warning("an event was refused for good and is parked", metadata: metadata)
            }
        }
        // While stopping, requests are cut short.
        if !relay.stop.isSet {
            isFailing = unavailable != nil
            unanswered = unavailable == nil ? 0 : unanswered + 1
        }
        report(unavailable)
    }

    private func ending(after outcomes: [SendOutcome]) -> Ending? {
        for case .gone(let reason) in outcomes { return .goodbye(reason) }
        guard destination.isSequential else { return nil }
        for case .unavailable(let reason, _) in outcomes { return .reopening(reason) }
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
        let kept = try await store.keep(
            taken.epoch,
            owner: settings.owner,
            lease: settings.lease,
            error: error,
            isFailing: isFailing
        )
        guard let kept else { throw DestinationError("another process owns it, or it was removed") }
        if kept.isPaused || kept.revision != taken.revision { ending = ending ?? .changed }
        lease.renew(until: before + settings.lease)
        lastRenewal = before
        (error, isFailing) = (nil, nil)
        if unanswered >= Self.leastUnanswered, let since = kept.failingSince, let patience = destination.patience,
            clock.microseconds - since > patience.microseconds
        {
            ending = .goodbye("no proper answer since \(Timestamp(microseconds: since))")
        }
        for released in try await store.released() {
            guard let index = sources.firstIndex(where: { $0.number == released.replay }) else { continue }
            sources[index].state.released(released.group, from: released.from)
        }
        try await openReplays(nil)
    }

    /// Pauses the destination and says so in the log: an operator lets it go on where it stopped.
    private func disable(_ reason: String) async throws {
        let (destination, epoch, revision) = (store.destination, taken.epoch, taken.revision)
        let act = Act { session, _ in
            let parameters = Parameters().int32(destination).int64(epoch).text(reason).int32(revision)
            guard let row = try session.query(Statements.disableDestination, parameters).first else { return nil }
            var data = OperationData(action: "destination.changed")
            data.add("destination", try row.text(0))
            data.add("change", "disabled")
            data.add("reason", reason)
            return data.bytes
        }
        _ = try await relay.log.submit(.act(act), context: .system(.relay))
        logger.warning("the destination is disabled", metadata: ["reason": "\(reason)"])
    }

    /// Replays that wait for an operator keep no place of those that go on.
    private var hasRoomForReplay: Bool {
        sources.count <= settings.openReplayLimit
            && sources.count { $0.range != nil && !$0.waitsForOperator } < settings.replayLimit
    }

    /// Opens replays that were started since.
    ///
    /// - Parameter holds: as just read, if so.
    private mutating func openReplays(_ holds: [Int32: [RelayHold]]?) async throws {
        guard hasRoomForReplay else { return }
        let replays = try await store.replays().filter { replay in !sources.contains { $0.number == replay.number } }
        guard !replays.isEmpty else { return }
        let known: [Int32: [RelayHold]]
        if let holds { known = holds } else { known = try await store.holds() }
        for replay in replays where hasRoomForReplay {
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
