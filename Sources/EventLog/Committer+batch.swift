import Catalog
import LibPQ

/// One batch as one transaction.
extension Committer {
    /// Commits a batch.
    ///
    /// - Throws: `LostBatch` when the connection was lost; `PostgresError` or `BatchFault` when the database or the
    ///   judging refused it, with the transaction still open or aborted: the caller rolls back.
    func transact(_ batch: [PendingCommit]) throws -> CommittedBatch {
        guard let session, let writer else { throw PostgresError(code: .shutdown) }
        if case .act(let act) = batch.first?.work {
            return try transact(act, of: batch[0], session: session, writer: writer)
        }
        if let committed = try transactFetches(batch, session: session, writer: writer) { return committed }
        return try transactGeneral(batch, session: session, writer: writer)
    }

    /// The general path: two round trips. First lock and read, then, everything decided, write and commit.
    private func transactGeneral(_ batch: [PendingCommit], session: Session, writer: Writer) throws -> CommittedBatch {
        let wanted = BatchNeeds(batch)
        let ids = try takeProductIDs(wanted.assignableIDs, session: session)
        return try guardingAgainstLoss(session: session) {
            var read = try session.pipeline { pipeline in
                wanted.request(from: &pipeline, writer: writer, assignedIDs: ids)
            }[...]
            let results = try wanted.decode(&read)
            let admitted = batch.map(\.context).filter { results.admits($0.caller) }
            let people = try resolve(admitted, found: results.users, session: session)
            var builder = BatchBuilder(head: results.head, products: results.states)
            // A client may have named one of these meanwhile: those are passed over, for ever.
            var unusedIDs = ids.filter { results.states[$0] == nil }[...]
            var answers: [Result<Outcome, CommitError>] = []
            for registered in people.registered {
                let note = Note(type: .userRegistered)
                _ = builder.note(note, context: registered.context, userNumber: registered.number)
            }
            for (index, pending) in batch.enumerated() {
                let context = pending.context
                guard results.admits(context.caller) else {
                    answers.append(.failure(.keyRevoked))
                    continue
                }
                guard let number = people.numbers[context.caller.userID] else { throw BatchFault.unregistered }
                let outcome: Outcome =
                    switch pending.work {
                    case .fetch(let id):
                        try builder.apply(.fetch(id), context: context, userNumber: number)
                    case .command(let command):
                        try builder.apply(command, context: context, userNumber: number)
                    case .create(let product):
                        try builder.apply(
                            .create(product, assignedID: try product.id ?? builder.unusedID(from: &unusedIDs)),
                            context: context,
                            userNumber: number
                        )
                    case .list(_, let limit):
                        builder.show(
                            results.lists[index] ?? [],
                            limit: limit,
                            context: context,
                            userNumber: number
                        )
                    case .listByCode(let code):
                        builder.show(code: code, context: context, userNumber: number)
                    case .note(let note):
                        builder.note(note, context: context, userNumber: number)
                    case .act:
                        preconditionFailure("the queue hands acts out alone")
                    }
                answers.append(.success(outcome))
            }
            productIDs.insert(contentsOf: unusedIDs, at: 0)
            return (builder, answers)
        } commit: { builder, answers in
            try write(builder, answers: answers, session: session, writer: writer)
        }
    }

    /// Runs the two halves of a transaction and says, when the connection is lost, in which half it was.
    func guardingAgainstLoss<Decided>(
        session: Session,
        decide: () throws -> (Decided, [Result<Outcome, CommitError>]),
        commit: (Decided, [Result<Outcome, CommitError>]) throws -> CommittedBatch
    ) throws -> CommittedBatch {
        let decided: (Decided, [Result<Outcome, CommitError>])
        do {
            decided = try decide()
        } catch {
            guard !session.isUsable, let error = error as? PostgresError else { throw error }
            throw LostBatch(decided: nil, mayBeCommitted: false, error: error)
        }
        return try commit(decided.0, decided.1)
    }

    /// The second round trip: events, projection, the batch's mark, COMMIT.
    func write(
        _ builder: BatchBuilder,
        answers: [Result<Outcome, CommitError>],
        session: Session,
        writer: Writer
    ) throws -> CommittedBatch {
        guard builder.events.count > 0 else {
            session.rollback()
            return CommittedBatch(lastPosition: nil, eventCount: 0, results: answers)
        }
        let committed = CommittedBatch(
            lastPosition: builder.head.position,
            eventCount: builder.events.count,
            results: answers
        )
        do throws(PostgresError) {
            try send(builder.events, builder.changedRows, positions: builder.firstPosition...builder.head.position)
            return committed
        } catch {
            guard !session.isUsable || error.code == .commitUnknown else { throw error }
            throw LostBatch(decided: committed, mayBeCommitted: true, error: error)
        }
    }

    private func send(
        _ events: EventColumns,
        _ rows: (updated: ProductColumns, replaced: ProductColumns),
        positions: ClosedRange<Int64>
    ) throws(PostgresError) {
        guard let session, let writer else { return }
        let mark = Parameters().int64(writer.number).int64(batchNumber)
            .int64(positions.lowerBound).int64(positions.upperBound)
        _ = try session.pipeline { pipeline in
            pipeline.add(Statements.insertEvents, events.parameters)
            if !rows.replaced.isEmpty {
                pipeline.add(Statements.deleteProducts, Parameters().int64Array(rows.replaced.ids))
                pipeline.add(Statements.insertProducts, rows.replaced.parameters)
            }
            if !rows.updated.isEmpty { pipeline.add(Statements.updateProducts, rows.updated.changes) }
            pipeline.add(Statements.insertBatch, mark)
            pipeline.commit()
        }
    }

    /// Ids for products that name none: not used before, though a client may have named them meanwhile.
    private func takeProductIDs(_ count: Int, session: Session) throws -> [ProductID] {
        while productIDs.count < count {
            let missing = Int32(count - productIDs.count)
            let rows: Rows
            do throws(PostgresError) {
                rows = try session.query(Statements.nextProductIds, Parameters().int32(missing))
            } catch {
                guard !session.isUsable else { throw error }
                throw LostBatch(decided: nil, mayBeCommitted: false, error: error)
            }
            for row in rows where try !row.bool(1) {
                if let id = ProductID(try row.int64(0)) { productIDs.append(id) }
            }
        }
        let taken = Array(productIDs.prefix(count))
        productIDs.removeFirst(count)
        return taken
    }
}
