import Catalog
import LibPQ

/// Judges the submissions of one batch in order, each seeing what those before it did, and gathers what must be
/// written. Pure: what it needs from the database was read under the head's lock and is handed in.
struct BatchBuilder {
    /// Where the log ends and what time the batch's first event gets.
    struct Head {
        var position: Int64
        var time: Timestamp
    }

    private(set) var head: Head
    private(set) var states: [ProductID: ProductState]
    private var codes: [ExactText: ProductID]
    /// The products that the batch changes, as they were before it.
    private var before: [ProductID: ProductState] = [:]
    private(set) var events = EventColumns()

    init(head: Head, products: [ProductID: ProductState]) {
        self.head = head
        states = products
        codes = [:]
        for case .live(let product) in products.values { codes[ExactText(product.code)] = product.id }
    }

    var firstPosition: Int64 { head.position - Int64(events.count) + 1 }

    /// Judges one command.
    mutating func apply(_ command: Command, context: RequestContext, userNumber: Int32) throws(BatchFault) -> Outcome {
        let id = command.productID
        let isExpiry = if case .expire = command { true } else { false }
        let state = isExpiry ? states[id] ?? .absent : judgedState(of: id)
        let decided: [ProductEvent]
        do {
            decided = try decide(command, state: state, codeHolder: { codes[ExactText($0)] }, at: head.time)
        } catch {
            return reject(error, context: context, userNumber: userNumber)
        }
        guard !decided.isEmpty else { return Outcome(position: nil, answer: .noted) }
        var changed = false
        for event in decided {
            let time = head.time
            append(event, context: context, userNumber: userNumber)
            if event.type.isChange {
                changed = true
                try project(event, id: id, at: time)
            }
        }
        switch states[id] ?? .absent {
        case .live(let product):
            return Outcome(position: head.position, answer: .product(product, changed: changed))
        case .deleted, .absent:
            return Outcome(position: head.position, answer: .deleted)
        }
    }

    /// The next of the ids at hand that nobody has used.
    func unusedID(from ids: inout ArraySlice<ProductID>) throws(BatchFault) -> ProductID {
        while let id = ids.popFirst() {
            if states[id] == nil { return id }
        }
        throw .outOfIDs
    }

    /// Shows products: one FETCHED each.
    ///
    /// - Parameters:
    ///   - products: as they were read at the batch's start.
    ///   - limit: how many were asked for.
    mutating func show(
        _ products: [Product],
        limit: Int,
        context: RequestContext,
        userNumber: Int32
    ) -> Outcome {
        // A change earlier in this batch may have come after the list was read: show what stands now.
        let last = products.count == limit ? products.last?.id : nil
        let shown = products.compactMap { listed -> Product? in
            if states[listed.id] == nil { states[listed.id] = .live(listed) }
            guard case .live(let product) = judgedState(of: listed.id) else { return nil }
            return product
        }
        for product in shown {
            append(.fetched(product), context: context, userNumber: userNumber)
        }
        return Outcome(position: shown.isEmpty ? nil : head.position, answer: .products(shown, through: last))
    }

    /// Shows the product that has a code at this point of the batch, if there is one.
    mutating func show(code: String, context: RequestContext, userNumber: Int32) -> Outcome {
        guard let id = codes[ExactText(code)], case .live(let product) = judgedState(of: id) else {
            return Outcome(position: nil, answer: .products([], through: nil))
        }
        append(.fetched(product), context: context, userNumber: userNumber)
        return Outcome(position: head.position, answer: .products([product], through: nil))
    }

    /// A product's state as commands see it: one whose time is over is gone, though its end may not be written yet.
    private func judgedState(of id: ProductID) -> ProductState {
        let state = states[id] ?? .absent
        guard case .live(let product) = state, let expiresAt = product.expiresAt, expiresAt <= head.time else {
            return state
        }
        return .deleted(last: product, version: product.version + 1)
    }

    /// Writes down something that changes no product.
    mutating func note(_ note: Note, context: RequestContext, userNumber: Int32) -> Outcome {
        events.append(
            position: advance(),
            time: head.time,
            productID: note.productID?.rawValue ?? note.beyondRange,
            type: note.type,
            version: nil,
            code: note.code,
            data: note.data,
            context: context,
            userNumber: userNumber
        )
        tick()
        return Outcome(position: head.position, answer: .noted)
    }

    /// The rows that change: those of products that live on under the same code, and those that must be replaced.
    var changedRows: (updated: ProductColumns, replaced: ProductColumns) {
        var (updated, replaced) = (ProductColumns(), ProductColumns())
        for (id, old) in before {
            let new = states[id] ?? .absent
            if let before = old.liveCode, before == new.liveCode {
                updated.append(new)
            } else {
                replaced.append(new)
            }
        }
        return (updated, replaced)
    }

    private mutating func reject(_ rejection: Rejection, context: RequestContext, userNumber: Int32) -> Outcome {
        switch rejection {
        case .notFound(let id), .gone(let id, _):
            let refusal = Note(type: .notFound, productID: id)
            let position = note(refusal, context: context, userNumber: userNumber).position
            return Outcome(position: position, answer: .rejected(rejection))
        default:
            return Outcome(position: nil, answer: .rejected(rejection))
        }
    }

    private mutating func append(_ event: ProductEvent, context: RequestContext, userNumber: Int32) {
        events.append(
            position: advance(),
            time: head.time,
            productID: event.productID.rawValue,
            type: event.type,
            version: event.version,
            code: event.code,
            data: event.data?.encode(),
            context: context,
            userNumber: userNumber
        )
        tick()
    }

    private mutating func project(_ event: ProductEvent, id: ProductID, at time: Timestamp) throws(BatchFault) {
        let now = states[id] ?? .absent
        if before[id] == nil { before[id] = now }
        let after: ProductState
        do {
            after = try evolve(now, event.recorded(at: time))
        } catch {
            throw BatchFault.inconsistent(productID: id.rawValue, reason: "\(error)")
        }
        moveCode(of: id, from: now, to: after)
        states[id] = after
    }

    private mutating func moveCode(of id: ProductID, from old: ProductState, to new: ProductState) {
        let (before, after) = (old.liveCode, new.liveCode)
        if let before, let after, before == after { return }
        if let before, codes[before] == id { codes[before] = nil }
        if let after { codes[after] = id }
    }

    private mutating func advance() -> Int64 {
        head.position += 1
        return head.position
    }

    private mutating func tick() { head.time = head.time.advanced(byMicroseconds: 1) }
}

extension ProductState {
    fileprivate var liveCode: ExactText? {
        guard case .live(let product) = self else { return nil }
        return ExactText(product.code)
    }
}

/// A batch that must not be committed.
enum BatchFault: Error {
    /// A decided event does not fit the state it was decided on: a bug or a damaged projection. Nothing is written.
    case inconsistent(productID: Int64, reason: String)
    /// Other processes named more of the ids at hand than were spare. Nothing is written; the batch can be tried again.
    case outOfIDs
    /// The database gave a user no number. Nothing is written.
    case unregistered
}
