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
            ownership = Ownership(
                session: session,
                epoch: try taken[0].int64(0),
                visibilityTimeout: try taken[0].int64(1),
                state: QueueState(
                    maxReceiveCount: maxReceiveCount,
                    leases: try readLeases(session),
                    pending: try readPending(session),
                    now: WallClock.microseconds()
                ),
                renewed: .now
            )
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

    /// One transaction, one round trip: fence, journal, then what is read back, then the scan.
    func commit(_ owned: inout Ownership) throws {
        let journal = owned.state.flush()
        let refills = owned.state.takeRefills(limit: settings.refillLimit)
        let scans = owned.state.wantsScan
        let renews = ContinuousClock.now - owned.renewed >= settings.renewal
        guard !journal.isEmpty || !refills.isEmpty || scans || renews else { return }
        let (from, epoch) = (owned.state.scannedThrough, owned.epoch)
        var results = try owned.session.pipeline { pipeline in
            pipeline.begin()
            add(journal, to: &pipeline, epoch: epoch)
            if renews {
                let lease = Int32(settings.lease.microseconds / 1_000)
                pipeline.add(
                    Statements.keepQueue,
                    Parameters().int16(queue.rawValue).int64(epoch).int32(lease)
                )
            }
            for refill in refills { add(refill, to: &pipeline) }
            if scans { pipeline.add(Statements.scanLog, Parameters().int64(from).int32(settings.scanLimit)) }
            pipeline.commit()
        }[...]
        results = results.suffix(refills.count + (scans ? 1 : 0))
        for refill in refills {
            let positions = try results.removeFirst().map { row throws(PostgresError) in try row.int64(0) }
            owned.state.refilled(group: refill.group, positions: positions)
        }
        if scans {
            for row in results.removeFirst() {
                owned.state.scanned(position: try row.int64(0), group: try row.int64(1))
            }
        }
        if renews { owned.renewed = .now }
    }

    private func add(_ refill: QueueState.RefillRequest, to pipeline: inout Pipeline) {
        let range = (refill.from, refill.through, Int32(refill.limit))
        if refill.group == 0 {
            pipeline.add(Statements.refillLogGroup, Parameters().int64(range.0).int64(range.1).int32(range.2))
        } else {
            pipeline.add(
                Statements.refillGroup,
                Parameters().int64(refill.group).int64(range.0).int64(range.1).int32(range.2)
            )
        }
    }

    private func add(_ journal: QueueJournal, to pipeline: inout Pipeline, epoch: Int64) {
        let id = queue.rawValue
        pipeline.add(Statements.fenceQueue, Parameters().int16(id).int64(epoch))
        for lease in journal.insertedLeases {
            pipeline.add(
                Statements.insertLease,
                Parameters().int16(id).int64(lease.id).int64(lease.low)
                    .int64Array(lease.entries.map(\.until)).int64Array(lease.entries.map(\.group))
                    .int64Array(lease.entries.map(\.position))
                    .int32Array(lease.entries.map { Int32($0.receiveCount) }).int32(Int32(bitPattern: lease.gone))
            )
        }
        for lease in journal.changedLeases {
            pipeline.add(
                Statements.changeLease,
                Parameters().int16(id).int64(lease.id).int64Array(lease.entries.map(\.until))
                    .int32(Int32(bitPattern: lease.gone))
            )
        }
        if !journal.goneMarks.isEmpty {
            pipeline.add(
                Statements.markGone,
                Parameters().int16(id).int64Array(journal.goneMarks.map(\.lease))
                    .int32Array(journal.goneMarks.map { Int32(bitPattern: $0.gone) })
            )
        }
        if !journal.deletedLeases.isEmpty {
            pipeline.add(Statements.deleteLeases, Parameters().int16(id).int64Array(journal.deletedLeases))
        }
        if !journal.deletedPending.isEmpty {
            pipeline.add(Statements.deletePending, Parameters().int16(id).int64Array(journal.deletedPending))
        }
        if !journal.insertedPending.isEmpty {
            pipeline.add(
                Statements.insertPending,
                Parameters().int16(id).int64Array(journal.insertedPending.map(\.from))
                    .int64Array(journal.insertedPending.map(\.group))
            )
        }
        if !journal.deadLetters.isEmpty {
            pipeline.add(
                Statements.insertDeadLetters,
                Parameters().int16(id).int64Array(journal.deadLetters.map(\.position))
                    .int64Array(journal.deadLetters.map(\.group))
                    .int32Array(journal.deadLetters.map { Int32($0.receiveCount) })
            )
        }
    }

    private func readLeases(_ session: Session) throws -> [QueueJournal.Lease] {
        try session.query(Statements.readLeases, Parameters().int16(queue.rawValue)).map { row in
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

    private func readPending(_ session: Session) throws -> [QueueJournal.Pending] {
        try session.query(Statements.readPending, Parameters().int16(queue.rawValue)).map { row in
            QueueJournal.Pending(from: try row.int64(0), group: try row.int64(1))
        }
    }
}
