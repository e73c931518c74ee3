import Catalog
import EventLog
import LibPQ

/// What a batch writes and reads, statement by statement.
extension QueueDispatcher {
    func add(_ scan: MessageSource.Scan, to pipeline: inout Pipeline) {
        let limit = settings.scanLimit
        switch scan {
        case .log(let after): pipeline.add(Statements.scanLog, Parameters().int64(after).int32(limit))
        case .selection(let selection, let after, let span):
            let parameters = Parameters().int64(after).int64(span).int16Array(selection.types.map(\.rawValue))
                .int64Array(selection.products).int32(limit)
            pipeline.add(Statements.scanSelection, parameters)
        case .messages(let after):
            pipeline.add(Statements.scanMessages, Parameters().int16(queue.id).int64(after).int32(limit))
        case .replay(let range, let after, let through):
            if let product = range.product {
                let parameters = Parameters().int64(product).int64(after).int64(through).int16Array(range.types)
                    .int32(limit)
                pipeline.add(Statements.scanProduct, parameters)
            } else {
                let parameters = Parameters().int64(after).int64(through).int16Array(range.types).int32(limit)
                pipeline.add(Statements.scanRange, parameters)
            }
        }
    }

    func add(_ refill: QueueState.RefillRequest, of source: MessageSource, to pipeline: inout Pipeline) {
        let limit = Int32(refill.limit)
        if source.kind == .messages {
            let parameters = Parameters().int16(queue.id).int64(refill.group).int64(refill.from).int64(refill.through)
                .int32(limit)
            pipeline.add(Statements.refillMessages, parameters)
        } else if refill.group == 0 {
            let parameters = Parameters().int64(refill.from).int64(refill.through).int16Array(source.types).int32(limit)
            pipeline.add(Statements.refillLogGroup, parameters)
        } else {
            let parameters = Parameters().int64(refill.group).int64(refill.from).int64(refill.through)
                .int16Array(source.types).int32(limit)
            pipeline.add(Statements.refillGroup, parameters)
        }
    }

    /// What a batch writes into other queues is locked before its own, or after it: by number.
    func addLocks(_ hasDeadLetters: Bool, _ moved: [Int64], _ owned: Ownership, to pipeline: inout Pipeline) {
        guard hasDeadLetters || !moved.isEmpty else { return }
        let target = moved.isEmpty ? nil : owned.move?.task.target
        let names = [hasDeadLetters ? owned.queue.settings.deadLetterQueue : nil, target].compactMap(\.self)
        let parameters = Parameters().int16(queue.id).textArray(names).int64Array(target == nil ? moved : [])
        pipeline.add(Statements.lockQueues, parameters)
    }

    func add(_ move: MoveProgress, moved: [Int64], to pipeline: inout Pipeline) {
        if !moved.isEmpty {
            let parameters = Parameters().int16(queue.id).int64Array(moved).text(move.task.target)
                .int32(move.task.number)
            pipeline.add(Statements.moveMessages, parameters)
        }
        if move.isOver {
            let parameters = Parameters().int32(move.task.number).text(MoveTask.Status.completed.rawValue).text(nil)
            pipeline.add(Statements.endMove, parameters)
        }
    }

    func parameters(
        of sends: [(messages: [NewMessage], reply: QueueRequest.Reply<[SentMessage]>)],
        _ queue: QueueDescription
    ) -> Parameters {
        let messages = sends.flatMap(\.messages)
        let delay = queue.settings.delay
        return Parameters().int16(queue.id).bool(queue.settings.deduplicatesByGroup)
            .uuidArray(
                messages.map { _ in
                    let id = UUIDv7()
                    return (id.high, id.low)
                }
            )
            .int64Array(messages.map { queue.settings.isFIFO ? MessageIdentity.group($0.groupID ?? "") : nil })
            .textArray(messages.map(\.groupID)).textArray(messages.map(\.deduplicationID))
            .textArray(messages.map(\.body)).bytesArray(messages.map(\.attributes))
            .int64Array(messages.map { ($0.delay ?? delay).microseconds })
            .int32Array(messages.map(\.sender))
    }

    func add(_ journal: QueueJournal, of source: MessageSource, to pipeline: inout Pipeline) {
        let (id, number) = (queue.id, source.number)
        for lease in journal.insertedLeases {
            pipeline.add(
                Statements.insertLease,
                Parameters().int16(id).int32(number).int64(lease.id).int64(lease.low)
                    .int64Array(lease.entries.map(\.until)).int64Array(lease.entries.map(\.group))
                    .int64Array(lease.entries.map(\.position))
                    .int32Array(lease.entries.map { Int32($0.receiveCount) }).int32(Int32(bitPattern: lease.gone))
            )
        }
        for lease in journal.changedLeases {
            pipeline.add(
                Statements.changeLease,
                Parameters().int16(id).int32(number).int64(lease.id).int64Array(lease.entries.map(\.until))
                    .int32(Int32(bitPattern: lease.gone))
                    .int32Array(lease.entries.map { Int32($0.receiveCount) })
            )
        }
        if !journal.goneMarks.isEmpty {
            pipeline.add(
                Statements.markGone,
                Parameters().int16(id).int32(number).int64Array(journal.goneMarks.map(\.lease))
                    .int32Array(journal.goneMarks.map { Int32(bitPattern: $0.gone) })
            )
        }
        if !journal.deletedLeases.isEmpty {
            pipeline.add(
                Statements.deleteLeases,
                Parameters().int16(id).int32(number).int64Array(journal.deletedLeases)
            )
        }
        addPending(journal, of: source, to: &pipeline)
        addRemoved(journal, of: source, to: &pipeline)
    }

    private func addPending(_ journal: QueueJournal, of source: MessageSource, to pipeline: inout Pipeline) {
        if !journal.deletedPending.isEmpty {
            pipeline.add(
                Statements.deletePending,
                Parameters().int16(queue.id).int32(source.number).int64Array(journal.deletedPending)
            )
        }
        if !journal.insertedPending.isEmpty {
            pipeline.add(
                Statements.insertPending,
                Parameters().int16(queue.id).int32(source.number).int64Array(journal.insertedPending.map(\.from))
                    .int64Array(journal.insertedPending.map(\.group))
            )
        }
    }

    /// Dead letters first: their rows are copied before they go.
    private func addRemoved(_ journal: QueueJournal, of source: MessageSource, to pipeline: inout Pipeline) {
        if !journal.deadLetters.isEmpty {
            let ids = journal.deadLetters.map { letter in
                MessageIdentity.messageID(source: source.number, position: letter.position, of: settings.logSource)
            }
            pipeline.add(
                Statements.buryMessages,
                Parameters().int16(queue.id).int32(source.number).int64Array(journal.deadLetters.map(\.position))
                    .int64Array(journal.deadLetters.map(\.group))
                    .int32Array(journal.deadLetters.map { Int32($0.receiveCount) })
                    .uuidArray(ids.map { ($0.high, $0.low) })
            )
        }
        if !journal.removed.isEmpty, source.kind == .messages {
            pipeline.add(Statements.removeMessages, Parameters().int16(queue.id).int64Array(journal.removed))
        }
    }
}
