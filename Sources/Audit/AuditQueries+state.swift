package import Catalog
import EventLog
import LibPQ

/// Which moment of a product is asked for.
package enum ProductMoment: Sendable, Hashable {
    /// After every event with `recordedAt` ≤ this time, exactly.
    case time(Timestamp)
    /// After the event at this position.
    case position(Int64)
    /// As the change with this version made it.
    case version(Int64)
}

/// A product as it was.
package struct ProductThen: Sendable {
    /// Nil once deleted or expired.
    package let product: Product?
    package var isDeleted: Bool { product == nil }
    /// Of the last change applied.
    package let position: Int64
    package let recordedAt: Timestamp
    package let queryPosition: Int64
}

/// What lies between two versions of a product.
package struct ProductDiff: Sendable {
    package let productID: Int64
    package let from: Int64
    package let to: Int64
    /// In field order; a field that came back to its value is not in it.
    package let changes: [FieldChange]
    /// Whether `to` is the deletion: the changes are then those up to the last state.
    package let endsDeleted: Bool
    /// The positions of the changes after version `from`, up to and with `to`.
    package let events: [Int64]
    package let queryPosition: Int64
}

extension AuditQueries {
    /// A product's state at a moment.
    ///
    /// - Throws: `AuditFailure` `.notFoundThen` before its creation, `.invalid` for a moment that is yet to come.
    package func state(of product: Int64, at moment: ProductMoment) async throws -> ProductThen {
        try await requireReached(moment)
        var query = QueryRecord("product-state")
        query.add("product", product)
        switch moment {
        case .time(let time): query.add("at", time)
        case .position(let position): query.add("position", position)
        case .version(let version): query.add("version", version)
        }
        let queryPosition = try await record(query, product: product)
        let then = try await log.readers.withConnection { session in
            try Self.fold(session, product, moment, head: queryPosition)
        }
        guard let then else {
            let what = if case .version(let version) = moment { "version \(version)" } else { "state then" }
            throw AuditFailure(.notFoundThen, "product \(product) had no \(what)", at: queryPosition)
        }
        return then
    }

    /// What changed after version `from`, up to and with version `to`; 1 ≤ from ≤ to.
    ///
    /// - Throws: `AuditFailure` `.notFoundThen` when the product has no such version.
    package func diff(of product: Int64, from: Int64, to: Int64) async throws -> ProductDiff {
        guard 1 <= from, from <= to else {
            throw AuditFailure(.invalid, "'from' must be at least 1 and at most 'to'")
        }
        var query = QueryRecord("product-diff")
        query.add("product", product)
        query.add("from", from)
        query.add("to", to)
        let queryPosition = try await record(query, product: product)
        let walk = try await log.readers.withConnection { session in
            try VersionWalk(session, product, from: from, to: to, head: queryPosition)
        }
        guard let old = walk.old, let new = walk.new else {
            let missing = walk.old == nil ? from : to
            throw AuditFailure(.notFoundThen, "product \(product) had no version \(missing)", at: queryPosition)
        }
        return ProductDiff(
            productID: product,
            from: from,
            to: to,
            changes: Diff.changes(from: old, to: new),
            endsDeleted: walk.endsDeleted,
            events: walk.events,
            queryPosition: queryPosition
        )
    }

    /// Refuses a moment that is yet to come: its answer could still change.
    func requireReached(_ moment: ProductMoment) async throws {
        if case .version = moment { return }
        let (end, latest) = try await log.readers.withConnection { session in
            let row = try session.query(Statements.auditLogEnd).only()
            return (try row.int64(0), Timestamp(microseconds: try row.timestamp(1)))
        }
        switch moment {
        case .time(let time) where time > latest.advanced(byMicroseconds: Self.tolerance):
            throw AuditFailure(.invalid, "the time \(time) is yet to come; it is \(latest)")
        case .position(let position) where position > end:
            throw AuditFailure(.invalid, "the log ends at position \(end)")
        default: break
        }
    }

    private static func fold(_ session: Session, _ product: Int64, _ moment: ProductMoment, head: Int64) throws
        -> ProductThen?
    {
        guard let id = ProductID(product) else { return nil }
        var last = head
        var wanted: Int64?
        switch moment {
        case .time(let time): last = min(head, try LogClock(session: session).position(at: time))
        case .position(let position): last = min(head, position)
        case .version(let version): wanted = version
        }
        var state = ProductState.absent
        var at: ProductHistory.Change?
        try ProductHistory(session: session, productID: id).forEachChange(upTo: last) { change in
            state = try evolve(state, change.event)
            at = change
            return change.event.version != wanted || wanted == nil
        }
        guard let at, wanted == nil || at.event.version == wanted else { return nil }
        let product: Product? = if case .live(let product) = state { product } else { nil }
        return ProductThen(
            product: product,
            position: at.position,
            recordedAt: at.event.recordedAt,
            queryPosition: head
        )
    }
}

/// The walk over a product's changes that a diff needs.
private struct VersionWalk: Sendable {
    private(set) var old: Product?
    private(set) var new: Product?
    private(set) var endsDeleted = false
    private(set) var events: [Int64] = []

    init(_ session: Session, _ product: Int64, from: Int64, to: Int64, head: Int64) throws {
        guard let id = ProductID(product) else { return }
        var state = ProductState.absent
        try ProductHistory(session: session, productID: id).forEachChange(upTo: head) { change in
            state = try evolve(state, change.event)
            guard let version = change.event.version else { return true }
            if version > from { events.append(change.position) }
            if version == from { old = Self.product(state) }
            if version == to {
                new = Self.product(state)
                if case .deleted = state { endsDeleted = true }
            }
            return version < to
        }
    }

    private static func product(_ state: ProductState) -> Product? {
        switch state {
        case .live(let product), .deleted(let product, _): product
        case .absent: nil
        }
    }
}
