package import Catalog
import EventLog
import LibPQ

/// Somebody who looked at a product.
package struct Viewer: Sendable {
    /// `system:erased:<number>` once erased.
    package let userID: String
    /// How often he was shown it.
    package let count: Int64
    package let first: Timestamp
    package let last: Timestamp
    /// The version that he saw last.
    package let lastVersion: Int64
}

package struct ViewerPage: Sendable {
    package let viewers: [Viewer]
    package let next: EventCursor?
    package let queryPosition: Int64
}

extension AuditQueries {
    /// How many of a product's events one statement examines.
    private static let viewerStretch: Int32 = 10_000

    /// Who was shown a product, most recent first.
    ///
    /// Walks all events of the product, in short statements; memory grows with its viewers (about 64 bytes each), not
    /// with its events. Cancellation ends the walk.
    package func viewers(of product: Int64, limit: Int = defaultLimit, cursor: EventCursor? = nil) async throws
        -> ViewerPage
    {
        var query = QueryRecord("product-viewers")
        query.add("product", product)
        query.add("limit", Int64(limit))
        if let cursor {
            query.add("head", cursor.head)
            query.add("after", cursor.position)
        }
        let queryPosition = try await record(query, product: product)
        let head = min(cursor?.head ?? queryPosition, queryPosition)
        let counts = try await count(product, upTo: head)
        let waiting = counts.values.filter { $0.last < cursor?.position ?? .max }.sorted { $0.last > $1.last }
        let shown = Array(waiting.prefix(limit))
        let viewers = try await log.readers.withConnection { session in try Self.describe(session, shown) }
        let next = waiting.count > limit ? shown.last.map { EventCursor(head: head, position: $0.last) } : nil
        return ViewerPage(viewers: viewers, next: next, queryPosition: queryPosition)
    }

    private struct ViewCount: Sendable {
        let user: Int32
        var count: Int64
        /// Positions.
        let first: Int64
        var last: Int64
    }

    private func count(_ product: Int64, upTo head: Int64) async throws -> [Int32: ViewCount] {
        var counts: [Int32: ViewCount] = [:]
        var after: Int64 = 0
        while true {
            try Task.checkCancellation()
            let parameters = Parameters()
                .int64(product).int64(after).int64(head).int32(Self.viewerStretch)
            let rows = try await log.readers.withConnection { session in
                try session.query(Statements.auditCountViewers, parameters)
            }
            for row in rows {
                guard let first = try row.optionalInt64(2) else { continue }
                let (user, count, last) = (try row.int32(0), try row.int64(1), try row.int64(3))
                counts[user, default: ViewCount(user: user, count: 0, first: first, last: last)].count += count
                counts[user]?.last = last
            }
            guard let row = rows.first, try row.int64(5) == Int64(Self.viewerStretch) else { return counts }
            after = try row.int64(4)
        }
    }

    private static func describe(_ session: Session, _ counts: [ViewCount]) throws -> [Viewer] {
        let names = try FilterNumbers.names(session, of: counts.map(\.user))
        let positions = counts.map(\.first) + counts.map(\.last)
        var times: [Int64: (time: Timestamp, version: Int64)] = [:]
        for row in try session.query(Statements.auditRecordedAt, Parameters().int64Array(positions)) {
            let time = Timestamp(microseconds: try row.timestamp(1))
            times[try row.int64(0)] = (time, Int64(try row.optionalInt32(2) ?? 0))
        }
        return try counts.map { count in
            guard let first = times[count.first], let last = times[count.last] else {
                throw PostgresError(code: .decoding, message: "the log lacks event \(count.first) or \(count.last)")
            }
            return Viewer(
                userID: names[count.user] ?? UserName.text(nil, number: count.user),
                count: count.count,
                first: first.time,
                last: last.time,
                lastVersion: last.version
            )
        }
    }
}
