package import Catalog
package import LibPQ

/// One product's changes, folded: what it was at a position.
package struct ProductHistory {
    private let session: Session
    private let productID: ProductID
    /// How many changes are read at a time.
    private static let pageSize: Int32 = 1_000

    package init(session: Session, productID: ProductID) {
        self.session = session
        self.productID = productID
    }

    /// A change as it was recorded.
    package struct Change: Sendable {
        package let position: Int64
        package let event: RecordedProductEvent
    }

    /// Calls `body` with each change up to and with `position`, in order, until it returns false.
    /// O(changes of this product); fetches are never read.
    package func forEachChange(
        after start: Int64 = 0,
        upTo position: Int64 = .max,
        _ body: (Change) throws -> Bool
    ) throws {
        var after = start
        while true {
            let parameters = Parameters()
                .int64(productID.rawValue).int64(after).int64(position).int32(Self.pageSize)
            let rows = try session.query(Statements.readProductChanges, parameters)
            for row in rows {
                let change = try Change(row, productID: productID)
                after = change.position
                guard try body(change) else { return }
            }
            if rows.count < Int(Self.pageSize) { return }
        }
    }

    /// The state after the last change at or before `position`.
    package func state(at position: Int64) throws -> ProductState {
        try state(at: position, from: .absent, after: 0)
    }

    /// The same, going on from a state that holds every change up to and with `after`; it may hold later ones too, which
    /// are passed over by their versions.
    package func state(at position: Int64, from start: ProductState?, after: Int64) throws -> ProductState {
        var state = start ?? .absent
        try forEachChange(after: after, upTo: position) { change in
            if let version = change.event.version, version > state.version {
                state = try evolve(state, change.event)
            }
            return true
        }
        return state
    }
}

extension ProductHistory.Change {
    /// From `read_product_changes`' columns.
    init(_ row: Row, productID: ProductID) throws {
        position = try row.int64(0)
        guard let type = EventType(rawValue: try row.int16(2)) else {
            throw PostgresError(code: .decoding, message: "event \(position) has an unknown type")
        }
        event = RecordedProductEvent(
            productID: productID,
            type: type,
            version: Int64(try row.int32(3)),
            code: try row.text(4),
            data: try EventData.decode(type: type, bytes: try row.bytes(5)),
            recordedAt: Timestamp(microseconds: try row.timestamp(1))
        )
    }
}
