import EventLog
import LibPQ
import Logging
import Synchronization

/// The database's side of a dispatcher.
extension QueueDispatcher {
    /// Takes the queue over if nobody holds it: raises its epoch and reads its journal. False while another does, or
    /// while the database cannot be reached.
    func takeOver() -> Bool {
        do {
            let session = try openStandby()
            let parameters = Parameters().int16(queue.id).text(settings.owner)
                .int32(Int32(settings.lease.microseconds / 1_000)).text(settings.address)
            let taken = try session.query(Statements.takeQueue, parameters)
            guard !taken.isEmpty else { return false }
            if let move = failedMove {
                let failed = Parameters().int32(move.number).text(MoveTask.Status.failed.rawValue).text(move.reason)
                _ = try session.query(Statements.endMove, failed)
                failedMove = nil
            }
            var owned = Ownership(
                session: session,
                epoch: try taken[0].int64(0),
                queue: try QueueDescription(session.query(Statements.readQueue, Parameters().int16(queue.id)).only()),
                sources: [],
                renewed: .now,
                clock: SteadyClock(start: try taken[0].timestamp(1))
            )
            try openSources(&owned)
            try openMove(&owned)
            ownership = owned
            standbySession = nil
            inbox.isOwner.store(true, ordering: .relaxed)
            logger.info("took the queue over", metadata: ["queue": "\(queue.name)"])
            return true
        } catch {
            logger.debug("cannot take the queue over", metadata: ["queue": "\(queue.name)", "error": "\(error)"])
            if (error as? PostgresError)?.sqlState == .lockNotAvailable { endOwnerSession() }
            standbySession?.close()
            standbySession = nil
            return false
        }
    }

    /// Frees the queue's row from an owner that was frozen in the middle of a batch, if its lease is over.
    private func endOwnerSession() {
        let ended = try? standbySession?.query(Statements.endOwnerSession, Parameters().int16(queue.id))
        if let ended, !ended.isEmpty {
            logger.notice("ended the session of an owner that gave no sign", metadata: ["queue": "\(queue.name)"])
        }
    }

    private func openStandby() throws -> Session {
        if let standbySession, standbySession.checkAlive() { return standbySession }
        standbySession?.close()
        let session = try Session.open(settings.connection)
        try session.prepare(Statements.all)
        standbySession = session
        return session
    }

    /// Gives the queue up at shutdown, or because nobody asks for it: the next owner looks on from where this one was.
    func leave() {
        standbySession?.close()
        standbySession = nil
        inbox.isOwner.store(false, ordering: .relaxed)
        guard var owned = ownership.take() else { return }
        do {
            let fence = Parameters().int16(queue.id).int64(owned.epoch)
            let journals = owned.sources.indices.map { index in
                owned.sources[index].keepPlace()
                return owned.sources[index].flush()
            }
            _ = try owned.session.pipeline { pipeline in
                pipeline.begin()
                pipeline.add(Statements.fenceQueue, fence)
                for (source, journal) in zip(owned.sources, journals) { add(journal, of: source, to: &pipeline) }
                pipeline.add(Statements.leaveQueue, fence)
                pipeline.commit()
            }
        } catch {
            logger.debug("the queue's lease runs out by itself", metadata: ["error": "\(error)"])
        }
        owned.session.close()
    }

    /// One transaction, one round trip: fence, moves, journals, sends, then what is read back, then the scans.
    func commit(_ owned: inout Ownership, _ round: inout Round) throws {
        let renews = round.refreshes || ContinuousClock.now - owned.renewed >= settings.renewal
        if !round.sends.isEmpty || renews { owned.markMessagesDue() }
        let plans = owned.sources.indices.map { index in
            SourcePlan(
                journal: owned.sources[index].flush(),
                refills: owned.sources[index].state.takeRefills(limit: settings.refillLimit),
                scan: owned.sources[index].nextScan,
                isFinished: owned.sources[index].isFinished
            )
        }
        let isCounted = !round.counts.isEmpty || !round.levels.isEmpty
        let counts = isCounted ? owned.counts(now: owned.clock.microseconds) : nil
        let endsMove = owned.move?.isOver == true
        if renews || endsMove || !round.sends.isEmpty || plans.contains(where: \.hasWork) {
            var results = try send(plans, round, owned: owned, renews: renews)[...]
            let answers = plans.reduce(0) { $0 + $1.answers } + (round.sends.isEmpty ? 0 : 1) + (renews ? 1 : 0)
            results = results.suffix(answers)
            if renews { owned.queue = try QueueDescription(results.removeFirst().only()) }
            if !round.sends.isEmpty { try answerSends(results.removeFirst(), &round) }
            for (index, plan) in plans.enumerated() { try feed(&owned.sources[index], plan, &results) }
            owned.sources = zip(owned.sources, plans).filter { !$1.isFinished }.map(\.0)
        }
        round.tally.deadLettered = plans.reduce(0) { $0 + $1.journal.deadLetters.count }
        if endsMove { owned.move = nil }
        if renews {
            owned.renewed = .now
            owned.applySettings()
            try openReplays(&owned)
            try openMove(&owned)
        }
        if let counts {
            let total = QueueCounts(
                visible: counts.visible + Int(try countUnseen(owned)),
                inFlight: counts.inFlight,
                delayed: counts.delayed
            )
            for reply in round.counts { round.answers.append { reply.resume(returning: .success(total)) } }
            if !round.levels.isEmpty {
                let level = try self.level(owned, total)
                for reply in round.levels { round.answers.append { reply.resume(returning: .success(level)) } }
            }
        }
    }

    /// What one source wants of a batch.
    private struct SourcePlan {
        let journal: QueueJournal
        let refills: [QueueState.RefillRequest]
        let scan: MessageSource.Scan?
        let isFinished: Bool

        var answers: Int { refills.count + (scan == nil ? 0 : 1) }
        var hasWork: Bool { answers > 0 || !journal.isEmpty || isFinished }
    }

    private func send(_ plans: [SourcePlan], _ round: Round, owned: Ownership, renews: Bool) throws -> [Rows] {
        try owned.session.pipeline { pipeline in
            pipeline.begin()
            addLocks(plans.contains { !$0.journal.deadLetters.isEmpty }, round.moved, owned, to: &pipeline)
            pipeline.add(Statements.fenceQueue, Parameters().int16(queue.id).int64(owned.epoch))
            if let move = owned.move { add(move, moved: round.moved, to: &pipeline) }
            for (source, plan) in zip(owned.sources, plans) {
                add(plan.journal, of: source, to: &pipeline)
                if plan.isFinished {
                    pipeline.add(Statements.finishReplay, Parameters().int16(queue.id).int32(source.number))
                }
            }
            if renews {
                let lease = Int32(settings.lease.microseconds / 1_000)
                pipeline.add(Statements.keepQueue, Parameters().int16(queue.id).int64(owned.epoch).int32(lease))
                pipeline.add(Statements.readQueue, Parameters().int16(queue.id))
            }
            if !round.sends.isEmpty { pipeline.add(Statements.sendMessages, parameters(of: round.sends, owned.queue)) }
            for (source, plan) in zip(owned.sources, plans) {
                for refill in plan.refills { add(refill, of: source, to: &pipeline) }
                if let scan = plan.scan { add(scan, to: &pipeline) }
            }
            pipeline.commit()
        }
    }

    private func feed(_ source: inout MessageSource, _ plan: SourcePlan, _ results: inout ArraySlice<Rows>) throws {
        for refill in plan.refills {
            let hasTimes = source.kind == .messages
            let messages = try results.removeFirst().map { row throws(PostgresError) in
                QueueState.FreshMessage(
                    position: try row.int64(0),
                    visibleAt: hasTimes ? try row.optionalTimestamp(1) ?? .min : .min
                )
            }
            source.state.refilled(group: refill.group, messages: messages)
        }
        guard let scan = plan.scan else { return }
        var messages: [MessageSource.Found] = []
        var through: Int64?
        if case .replay(_, _, let end) = scan { through = end }
        for row in results.removeFirst() {
            guard let group = try row.optionalInt64(1) else {
                through = try row.int64(0)
                continue
            }
            var found = MessageSource.Found(position: try row.int64(0), group: group)
            if case .messages = scan { found.visibleAt = try row.optionalTimestamp(2) ?? .min }
            messages.append(found)
        }
        source.scanned(messages, through: through, isWhole: messages.count < Int(settings.scanLimit))
    }

    private func answerSends(_ rows: Rows, _ round: inout Round) throws {
        var sent = try rows.map { row throws(PostgresError) in
            let (high, low) = try row.uuid(1)
            return SentMessage(
                messageID: UUIDv7(high: high, low: low).description,
                sequenceNumber: MessageIdentity.sequenceNumber(source: MessageSource.main, position: try row.int64(2)),
                isDuplicate: try row.bool(3)
            )
        }[...]
        round.tally.sent = sent.count { !$0.isDuplicate }
        for (messages, reply) in round.sends {
            guard sent.count >= messages.count else {
                throw PostgresError(code: .decoding, message: "fewer messages were sent than given")
            }
            let answer = Array(sent.prefix(messages.count))
            sent = sent.dropFirst(messages.count)
            round.answers.append { reply.resume(returning: .success(answer)) }
        }
    }

    private func countUnseen(_ owned: Ownership) throws -> Int64 {
        guard let main = owned.sources.first(where: { $0.number == MessageSource.main }) else { return 0 }
        let parameters = Parameters().int16(queue.id).int64(main.lookedThrough)
        return try owned.session.query(Statements.countUnseen, parameters).only().int64(0)
    }

    // MARK: - Sources

    private func openSources(_ owned: inout Ownership) throws {
        let main: MessageSource.Kind = owned.queue.settings.events.map { .log($0) } ?? .messages
        owned.sources = [try open(MessageSource.main, main, owned)]
        if main != .messages { owned.sources.append(try open(MessageSource.moved, .messages, owned)) }
        try openReplays(&owned)
    }

    /// Adds the sources of replays that are not known yet, the oldest first, as long as there is room.
    private func openReplays(_ owned: inout Ownership) throws {
        guard owned.queue.settings.events != nil else { return }
        for row in try owned.session.query(Statements.readReplays, Parameters().int16(queue.id)) {
            let number = try row.int32(0)
            guard !owned.sources.contains(where: { $0.number == number }) else { continue }
            guard owned.sources.count(where: \.isReplay) < settings.replayLimit else { return }
            let range = ReplayRange(
                from: try row.int64(1),
                to: try row.int64(2),
                product: try row.optionalInt64(3),
                types: try row.int16Array(4)
            )
            owned.sources.append(try open(number, .replay(range), owned))
            logger.info("a replay begins", metadata: ["queue": "\(queue.name)", "replay": "\(number)"])
        }
    }

    private func open(_ number: Int32, _ kind: MessageSource.Kind, _ owned: Ownership) throws -> MessageSource {
        let start: Int64 =
            switch kind {
            case .log(let selection): selection.after
            case .messages: 0
            case .replay(let range): range.from - 1
            }
        let state = QueueState(
            maxReceiveCount: owned.queue.maxReceiveCount,
            leases: try readLeases(owned.session, source: number),
            pending: try readPending(owned.session, source: number),
            start: start,
            now: owned.clock.microseconds
        )
        return MessageSource(number: number, kind: kind, state: state)
    }

    private func openMove(_ owned: inout Ownership) throws {
        let rows = try owned.session.query(Statements.runningMove, Parameters().int16(queue.id))
        guard !rows.isEmpty else {
            owned.move = nil
            return
        }
        let task = try MoveTask(rows[0])
        if owned.move?.task.number != task.number { owned.move = MoveProgress(task) }
    }

    private func readLeases(_ session: Session, source: Int32) throws -> [QueueJournal.Lease] {
        try session.query(Statements.readLeases, Parameters().int16(queue.id).int32(source)).map { row in
            let (until, groups) = (try row.int64Array(2), try row.int64Array(3))
            let (positions, counts) = (try row.int64Array(4), try row.int32Array(5))
            guard until.count == positions.count, groups.count == positions.count, counts.count == positions.count
            else { throw PostgresError(code: .decoding, message: "a lease's columns differ in length") }
            return QueueJournal.Lease(
                id: try row.int64(0),
                low: try row.int64(1),
                entries: positions.indices.map { index in
                    QueueJournal.Entry(
                        group: groups[index],
                        position: positions[index],
                        receiveCount: Int(counts[index]),
                        until: until[index]
                    )
                },
                gone: UInt32(bitPattern: try row.int32(6))
            )
        }
    }

    private func readPending(_ session: Session, source: Int32) throws -> [QueueJournal.Pending] {
        try session.query(Statements.readPending, Parameters().int16(queue.id).int32(source)).map { row in
            QueueJournal.Pending(from: try row.int64(0), group: try row.int64(1))
        }
    }
}

extension QueueDispatcher.Ownership {
    /// Messages may have come that this process did not add.
    mutating func markMessagesDue() {
        for index in sources.indices { sources[index].isDue = true }
    }

    /// What the queue's row says from now on.
    mutating func applySettings() {
        for index in sources.indices { sources[index].state.maxReceiveCount = queue.maxReceiveCount }
    }
}
