import Catalog
import LibPQ

/// What a batch must read under the head's lock, and what was read.
struct BatchNeeds {
    private var users: Set<UserID> = []
    private var keys: Set<Int32> = []
    private var products: Set<ProductID> = []
    private var codes: Set<ExactText> = []
    private var lists: [(index: Int, work: Work)] = []
    /// What is locked before the head.
    private var locks: [Statement] = []
    private var creations = 0
    private var namedCreations = 0
    /// Clients of other processes may name ids between their being taken and the head's being locked.
    private static let spareIDs = 8

    init(_ batch: [PendingCommit]) {
        for (index, pending) in batch.enumerated() {
            users.insert(pending.context.caller.userID)
            if let client = pending.context.caller.client { keys.insert(client.number) }
            switch pending.work {
            case .fetch(let id): products.insert(id)
            case .create(let product):
                codes.insert(ExactText(product.fields.code))
                if let id = product.id {
                    products.insert(id)
                    namedCreations += 1
                } else {
                    creations += 1
                }
            case .command(let command):
                products.insert(command.productID)
                if let code = command.wantedCode { codes.insert(ExactText(code)) }
            case .list: lists.append((index, pending.work))
            case .listByCode(let code): codes.insert(ExactText(code))
            case .note: break
            case .act(let act): if act.replacesProducts { locks = [Statements.limitLockWait, Statements.lockProducts] }
            }
        }
    }

    /// How many ids the log must have at hand: each client that names an id may take one of them away.
    var assignableIDs: Int { creations == 0 ? 0 : creations + namedCreations + Self.spareIDs }

    /// The first round trip. The cold read comes before the lock; lock and reads are statements of their own.
    func request(from pipeline: inout Pipeline, writer: Committer.Writer, assignedIDs: [ProductID]) {
        let wantedCodes = codes.map(\.text)
        let ids = products.map(\.rawValue) + assignedIDs.map(\.rawValue)
        let people = users.map(\.description)
        let warming = Parameters().int64Array(ids).textArray(wantedCodes).textArray(people).int32Array(Array(keys))
        pipeline.add(Statements.warmBatch, warming)
        addLists(to: &pipeline)
        pipeline.begin()
        for statement in locks { pipeline.add(statement) }
        let lock = Parameters().int64(writer.number).int64(writer.epoch).int32(LogFormat.current)
        pipeline.add(Statements.lockHead, lock)
        pipeline.add(Statements.findUsers, Parameters().textArray(people))
        pipeline.add(Statements.findActiveKeys, Parameters().int32Array(Array(keys)))
        pipeline.add(Statements.findWantedProducts, Parameters().int64Array(ids).textArray(wantedCodes))
        addLists(to: &pipeline)
    }

    private func addLists(to pipeline: inout Pipeline) {
        for case (_, .list(let after, let limit)) in lists {
            pipeline.add(Statements.listProducts, Parameters().int64(after).int32(Int32(limit)))
        }
    }

    struct Read {
        var head: BatchBuilder.Head
        var users: [UserID: Int32]
        /// By number, the generation that serves.
        var activeKeys: [Int32: Int32]
        var states: [ProductID: ProductState]
        /// By the index of the submission that asked.
        var lists: [Int: [Product]]

        /// Whether the caller's key, if he used one, still serves with the secret that he presented.
        func admits(_ caller: Caller) -> Bool {
            guard let client = caller.client else { return true }
            return activeKeys[client.number] == client.generation
        }
    }

    func decode(_ results: inout ArraySlice<Rows>) throws -> Read {
        results.removeFirst(1 + lists.count + locks.count)
        let head = try results.removeFirst().only()
        var read = Read(
            head: BatchBuilder.Head(
                position: try head.int64(0),
                time: Timestamp(microseconds: try head.timestamp(1))
            ),
            users: [:],
            activeKeys: [:],
            states: [:],
            lists: [:]
        )
        for row in results.removeFirst() {
            if let userID = UserID(any: try row.text(0)) { read.users[userID] = try row.int32(1) }
        }
        for row in results.removeFirst() { read.activeKeys[try row.int32(0)] = try row.int32(1) }
        for row in results.removeFirst() {
            let (id, state) = try ProductRow.state(row)
            read.states[id] = state
        }
        for (index, _) in lists {
            read.lists[index] = try results.removeFirst().compactMap { row in
                guard case .live(let product) = try ProductRow.state(row).1 else { return nil }
                return product
            }
        }
        return read
    }
}

/// The version of what this program writes; `log_head.min_writer` may ask for a newer one.
package enum LogFormat {
    package static let current: Int32 = 1
}
