import Catalog
import LibPQ

/// A batch of nothing but fetches: one round trip to a function that locks, reads and appends.
extension Committer {
    /// Commits such a batch; nil when it holds something else, or when a caller is new or its key no longer serves (the
    /// general path then tells them apart). Nothing was written in either case.
    func transactFetches(_ batch: [PendingCommit], session: Session, writer: Writer) throws -> CommittedBatch? {
        guard let parameters = fetchParameters(batch, writer: writer) else { return nil }
        let rows: Rows
        do throws(PostgresError) {
            rows = try session.query(Statements.appendFetches, parameters)
        } catch {
            guard !session.isUsable || error.code == .commitUnknown else { throw error }
            throw LostBatch(decided: nil, mayBeCommitted: true, error: error)
        }
        guard rows.count == batch.count else { return nil }
        var results: [Result<Outcome, CommitError>] = []
        results.reserveCapacity(batch.count)
        var last: Int64 = 0
        for row in rows {
            last = try row.int64(0)
            results.append(.success(Outcome(position: last, answer: try fetched(row))))
        }
        return CommittedBatch(lastPosition: last, eventCount: results.count, results: results)
    }

    private func fetched(_ row: Row) throws -> Answer {
        guard try !row.isNull(2) else {
            guard let id = ProductID(try row.int64(1)) else {
                throw PostgresError(code: .decoding, message: "a fetch answered no product id")
            }
            return .rejected(.notFound(id))
        }
        let (id, state) = try ProductRow.state(row, offset: 1)
        switch state {
        case .live(let product): return .product(product, changed: false)
        case .deleted(_, let version): return .rejected(.gone(id, version: version))
        case .absent: return .rejected(.notFound(id))
        }
    }

    private func fetchParameters(_ batch: [PendingCommit], writer: Writer) -> Parameters? {
        var ids: [Int64] = []
        var callers: [Caller: Int32] = [:]
        var people: [String] = []
        var keys: [Int32] = []
        var generations: [Int32] = []
        var callerOf: [Int32] = []
        var auths: [Int16] = []
        var vias: [Int16] = []
        var requestIDs: [(UInt64, UInt64)?] = []
        var labels: [String?] = []
        var traces: [[UInt8]?] = []
        for pending in batch {
            guard case .fetch(let id) = pending.work else { return nil }
            let context = pending.context
            ids.append(id.rawValue)
            if let known = callers[context.caller] {
                callerOf.append(known)
            } else {
                people.append(context.caller.userID.description)
                keys.append(context.caller.client?.number ?? 0)
                generations.append(context.caller.client?.generation ?? 0)
                callers[context.caller] = Int32(people.count)
                callerOf.append(Int32(people.count))
            }
            auths.append(context.caller.auth.rawValue)
            vias.append(context.via.rawValue)
            switch context.requestID {
            case .generated(let uuid):
                requestIDs.append((uuid.high, uuid.low))
                labels.append(nil)
            case .label(let label):
                requestIDs.append(nil)
                labels.append(label)
            }
            traces.append(context.trace?.bytes)
        }
        return Parameters()
            .int64(writer.number).int64(writer.epoch).int32(LogFormat.current).int64(batchNumber)
            .textArray(people).int32Array(keys).int32Array(generations).int64Array(ids).int32Array(callerOf).int16Array(
                auths
            )
            .int16Array(vias).int16(DataSchema.current).uuidArray(requestIDs).textArray(labels).bytesArray(traces)
    }
}
