import EventLog
import LibPQ
import Logging

/// The database's side of a dispatcher.
extension QueueDispatcher {
    /// Takes the queue over if nobody holds it: raises its epoch and reads its journal. False while another does, or
    /// while the database cannot be reached.
    func takeOver() -> Bool {
        do {
            let session = try openStandby()
            let taken = try session.query(
                Statements.takeQueue,
                Parameters().int16(queue.rawValue).text(settings.owner).int32(
                    Int32(settings.lease.microseconds / 1_000)
                )
            )
            guard !taken.isEmpty else { return false }
            let maxReceiveCount = try taken[0].optionalInt32(2).map(Int.init)
            var owned = Ownership(
                session: session,
                epoch: try taken[0].int64(0),
                visibilityTimeout: try taken[0].int64(1),
                maxReceiveCount: maxReceiveCount,
                sources: [],
                renewed: .now,
                clock: SteadyClock()
            )
            owned.sources = [try open(MessageSource.live, range: nil, owned)]
            try openReplays(&owned)
            ownership = owned
            standbySession = nil
            logger.info("took the queue over", metadata: ["queue": "\(queue.name)"])
            return true
        } catch {
            logger.debug("cannot take the queue over", metadata: ["queue": "\(queue.name)", "error": "\(error)"])
            standbySession?.close()
            standbySession = nil
            return false
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

    /// Gives the queue up at shutdown.
    func leave() {
        standbySession?.close()
        standbySession = nil
        guard let owned = ownership else { return }
        let parameters = Parameters().int16(queue.rawValue).int64(owned.epoch)
        do {
            _ = try owned.session.query(Statements.leaveQueue, parameters)
        } catch {
            logger.debug("the queue's lease runs out by itself", metadata: ["error": "\(error)"])
        }
        owned.session.close()
        ownership = nil
    }

    /// One transaction, one round trip: fence, journals, then what is read back, then the scans.
    func commit(_ owned: inout Ownership) throws {
        let renews = ContinuousClock.now - owned.renewed >= settings.renewal
        let plans = owned.sources.indices.map { index in
            SourcePlan(
                journal: owned.sources[index].state.flush(),
                refills: owned.sources[index].state.takeRefills(limit: settings.refillLimit),
                scan: owned.sources[index].nextScan,
                isFinished: owned.sources[index].isFinished
            )
        }
        guard renews || plans.contains(where: \.hasWork) else { return }
        var results = try send(plans, owned: owned, renews: renews)[...]
        results = results.suffix(plans.reduce(0) { $0 + $1.answers })
        for (index, plan) in plans.enumerated() { try feed(&owned.sources[index], plan, &results) }
        owned.sources = zip(owned.sources, plans).filter { !$1.isFinished }.map(\.0)
        if renews {
            owned.renewed = .now
            try openReplays(&owned)
        }
    }

    /// What one source wants of a batch.
    private struct SourcePlan {
        let journal: QueueJournal
        let refills: [QueueState.RefillRequest]
        let scan: (after: Int64, through: Int64)?
        let isFinished: Bool

        var answers: Int { refills.count + (scan == nil ? 0 : 1) }
        var hasWork: Bool { answers > 0 || !journal.isEmpty || isFinished }
    }

    private func send(_ plans: [SourcePlan], owned: Ownership, renews: Bool) throws -> [Rows] {
        let id = queue.rawValue
        return try owned.session.pipeline { pipeline in
            pipeline.begin()
            pipeline.add(Statements.fenceQueue, Parameters().int16(id).int64(owned.epoch))
            for (source, plan) in zip(owned.sources, plans) {
                add(plan.journal, replay: source.replay, to: &pipeline)
                if plan.isFinished {
                    pipeline.add(Statements.finishReplay, Parameters().int16(id).int32(source.replay))
                }
            }
            if renews {
                let lease = Int32(settings.lease.microseconds / 1_000)
                pipeline.add(Statements.keepQueue, Parameters().int16(id).int64(owned.epoch).int32(lease))
            }
            for (source, plan) in zip(owned.sources, plans) {
                for refill in plan.refills { add(refill, types: source.range?.types ?? [], to: &pipeline) }
                if let scan = plan.scan { add(scan, of: source.range, to: &pipeline) }
            }
            pipeline.commit()
        }
    }

    private func feed(_ source: inout MessageSource, _ plan: SourcePlan, _ results: inout ArraySlice<Rows>) throws {
        for refill in plan.refills {
            let positions = try results.removeFirst().map { row throws(PostgresError) in try row.int64(0) }
            source.state.refilled(group: refill.group, positions: positions)
        }
        guard let scan = plan.scan else { return }
        let messages = try results.removeFirst().map { row throws(PostgresError) in
            (position: try row.int64(0), group: try row.int64(1))
        }
        source.scanned(messages, through: scan.through, isWhole: messages.count < Int(settings.scanLimit))
    }

    /// Adds the sources of replays that are not known yet.
    private func openReplays(_ owned: inout Ownership) throws {
        for row in try owned.session.query(Statements.readReplays, Parameters().int16(queue.rawValue)) {
            let number = try row.int32(0)
            guard !owned.sources.contains(where: { $0.replay == number }) else { continue }
            let range = ReplayRange(
                from: try row.int64(1),
                to: try row.int64(2),
                product: try row.optionalInt64(3),
                types: try row.int16Array(4)
            )
            owned.sources.append(try open(number, range: range, owned))
            logger.info("a replay begins", metadata: ["queue": "\(queue.name)", "replay": "\(number)"])
        }
    }

    private func open(_ replay: Int32, range: ReplayRange?, _ owned: Ownership) throws -> MessageSource {
        let state = QueueState(
            maxReceiveCount: owned.maxReceiveCount,
            leases: try readLeases(owned.session, replay: replay),
            pending: try readPending(owned.session, replay: replay),
            start: range.map { $0.from - 1 } ?? 0,
            now: owned.clock.microseconds
        )
        return MessageSource(replay: replay, range: range, state: state)
    }

    private func add(_ scan: (after: Int64, through: Int64), of range: ReplayRange?, to pipeline: inout Pipeline) {
        guard let range else {
            return pipeline.add(Statements.scanLog, Parameters().int64(scan.after).int32(settings.scanLimit))
        }
        if let product = range.product {
            let parameters = Parameters().int64(product).int64(scan.after).int64(scan.through)
                .int16Array(range.types).int32(settings.scanLimit)
            pipeline.add(Statements.scanProduct, parameters)
        } else {
            let parameters = Parameters().int64(scan.after).int64(scan.through)
                .int16Array(range.types).int32(settings.scanLimit)
            pipeline.add(Statements.scanRange, parameters)
        }
    }

    private func add(_ refill: QueueState.RefillRequest, types: [Int16], to pipeline: inout Pipeline) {
        let limit = Int32(refill.limit)
        if refill.group == 0 {
            let parameters = Parameters().int64(refill.from).int64(refill.through).int16Array(types).int32(limit)
            pipeline.add(Statements.refillLogGroup, parameters)
        } else {
            let parameters = Parameters().int64(refill.group).int64(refill.from).int64(refill.through)
                .int16Array(types).int32(limit)
            pipeline.add(Statements.refillGroup, parameters)
        }
    }

    private func add(_ journal: QueueJournal, replay: Int32, to pipeline: inout Pipeline) {
        let id = queue.rawValue
        for lease in journal.insertedLeases {
            pipeline.add(
                Statements.insertLease,
                Parameters().int16(id).int32(replay).int64(lease.id).int64(lease.low)
                    .int64Array(lease.entries.map(\.until)).int64Array(lease.entries.map(\.group))
                    .int64Array(lease.entries.map(\.position))
                    .int32Array(lease.entries.map { Int32($0.receiveCount) }).int32(Int32(bitPattern: lease.gone))
            )
        }
        for lease in journal.changedLeases {
            pipeline.add(
                Statements.changeLease,
                Parameters().int16(id).int32(replay).int64(lease.id).int64Array(lease.entries.map(\.until))
                    .int32(Int32(bitPattern: lease.gone))
            )
        }
        if !journal.goneMarks.isEmpty {
            pipeline.add(
                Statements.markGone,
                Parameters().int16(id).int32(replay).int64Array(journal.goneMarks.map(\.lease))
                    .int32Array(journal.goneMarks.map { Int32(bitPattern: $0.gone) })
            )
        }
        if !journal.deletedLeases.isEmpty {
            pipeline.add(
                Statements.deleteLeases,
                Parameters().int16(id).int32(replay).int64Array(journal.deletedLeases)
            )
        }
        if !journal.deletedPending.isEmpty {
            pipeline.add(
                Statements.deletePending,
                Parameters().int16(id).int32(replay).int64Array(journal.deletedPending)
            )
        }
        if !journal.insertedPending.isEmpty {
            pipeline.add(
                Statements.insertPending,
                Parameters().int16(id).int32(replay).int64Array(journal.insertedPending.map(\.from))
                    .int64Array(journal.insertedPending.map(\.group))
            )
        }
        if !journal.deadLetters.isEmpty {
            pipeline.add(
                Statements.insertDeadLetters,
                Parameters().int16(id).int32(replay).int64Array(journal.deadLetters.map(\.position))
                    .int64Array(journal.deadLetters.map(\.group))
                    .int32Array(journal.deadLetters.map { Int32($0.receiveCount) })
            )
        }
    }

    private func readLeases(_ session: Session, replay: Int32) throws -> [QueueJournal.Lease] {
        try session.query(Statements.readLeases, Parameters().int16(queue.rawValue).int32(replay)).map { row in
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

    private func readPending(_ session: Session, replay: Int32) throws -> [QueueJournal.Pending] {
        try session.query(Statements.readPending, Parameters().int16(queue.rawValue).int32(replay)).map { row in
            QueueJournal.Pending(from: try row.int64(0), group: try row.int64(1))
        }
    }
}
