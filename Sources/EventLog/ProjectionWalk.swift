package import Catalog
package import LibPQ

/// Walks the whole projection in order of product ids, each page in one short snapshot that shows the events and the
/// rows as they were at the same moment. So a difference is a difference, whatever is being written meanwhile.
package struct ProjectionWalk {
    private let session: Session
    private let pageSize: Int32
    /// At most so many changes a page, or one product's: a page is one transaction of milliseconds.
    package static let defaultPageSize: Int32 = 10_000

    package init(session: Session, pageSize: Int32 = Self.defaultPageSize) {
        self.session = session
        self.pageSize = pageSize
    }

    /// A run of products: the fold of their events beside their rows.
    package struct Page {
        /// In order of ids.
        package var folded: [(id: ProductID, state: ProductState)] = []
        package var rows: [ProductID: ProductState] = [:]
        package var events = 0
        /// What replay itself refused: a corrupted history.
        package var faults: [(id: ProductID, fault: ReplayFault)] = []

        /// The products whose row is not the fold of their events.
        package var drift: [Drift] {
            var found: [Drift] = []
            var unseen = rows
            for (id, state) in folded {
                switch (unseen.removeValue(forKey: id), state) {
                case (nil, .absent): break
                case (nil, _): found.append(Drift(id: id, kind: .missing))
                case (let row?, _) where row != state: found.append(Drift(id: id, kind: .different))
                default: break
                }
            }
            found += unseen.keys.map { Drift(id: $0, kind: .extra) }
            return found.sorted { $0.id < $1.id }
        }
    }

    package struct Drift: Sendable, Hashable {
        package enum Kind: String, Sendable { case missing, extra, different }
        package let id: ProductID
        package let kind: Kind
    }

    /// Calls `body` with every page; memory does not grow with the log.
    ///
    /// - Parameter position: fold only events up to and with this one; the rows then are of no meaning.
    package func forEachPage(upTo position: Int64 = .max, _ body: (Page) throws -> Void) throws {
        var after: Int64 = 0
        while true {
            let (page, last) = try readPage(after: after, upTo: position)
            try body(page)
            guard let last else { return }
            after = last
        }
    }

    /// The products after an id, as many whole histories as a page holds; the last id covered, nil at the end.
    private func readPage(after: Int64, upTo position: Int64) throws -> (Page, last: Int64?) {
        try session.transaction(.readOnlySnapshot) {
            var page = Page()
            let last = try fold(into: &page, after: after, upTo: position)
            let range = Parameters().int64(after).int64(last ?? .max)
            for row in try session.query(Statements.productsBetween, range) {
                let (id, state) = try ProductRow.state(row)
                page.rows[id] = state
            }
            return (page, last)
        }
    }

    private func fold(into page: inout Page, after: Int64, upTo position: Int64) throws -> Int64? {
        var cursor = (id: after, position: Int64.max)
        var current: (id: ProductID, state: ProductState, isFaulty: Bool)?
        func close() {
            if let current, !current.isFaulty { page.folded.append((current.id, current.state)) }
        }
        while true {
            let parameters = Parameters().int64(cursor.id).int64(cursor.position).int64(position).int32(pageSize)
            let rows = try session.query(Statements.readChangesByProduct, parameters)
            for row in rows {
                let number = try row.int64(6)
                if number != current?.id.rawValue {
                    // A page ends between two products, never within one.
                    if page.events >= Int(pageSize), let current {
                        close()
                        return current.id.rawValue
                    }
                    close()
                    guard let id = ProductID(number) else { continue }
                    current = (id, .absent, false)
                }
                guard let now = current else { continue }
                let change = try ProductHistory.Change(row, productID: now.id)
                cursor = (number, change.position)
                page.events += 1
                if now.isFaulty { continue }
                do {
                    current?.state = try evolve(now.state, change.event)
                } catch {
                    current?.isFaulty = true
                    page.faults.append((now.id, error))
                }
            }
            if rows.count < Int(pageSize) {
                close()
                return nil
            }
        }
    }
}
