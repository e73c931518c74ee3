import Catalog
import EventLog
import LibPQ

/// Finds the positions of the events that pass a filter, through the index that fits it best.
///
/// Events are examined a stretch at a time, each by one short statement; a rare filter ends a page early instead of
/// holding a long snapshot.
struct EventScan {
    /// Which index leads.
    enum Driver: Sendable {
        case positions, product, changes, users, label

        var statement: Statement {
            switch self {
            case .positions: Statements.auditScanPositions
            case .product: Statements.auditScanProduct
            case .changes: Statements.auditScanChanges
            case .users: Statements.auditScanUsers
            case .label: Statements.auditScanLabel
            }
        }
    }

    /// What a scan found, in the order asked for, and what it has not examined yet.
    struct Found: Sendable {
        var positions: [Int64]
        var rest: PositionRange
    }

    private static let firstStretch = 1_000
    private static let longestStretch = 10_000
    /// How far around a request id's own time its events are looked for: clocks differ, and a request may wait.
    private static let requestWindow = (before: Int64(60_000_000), after: Int64(120_000_000))

    let session: Session
    let criteria: EventCriteria
    let examinedLimit: Int

    /// The first `limit` events of a range that pass.
    func first(_ limit: Int, of range: PositionRange) throws -> Found {
        guard !criteria.isImpossible else { return Found(positions: [], rest: range.done) }
        guard criteria.label != nil else { return try run(driver, range, limit) }
        var found = try run(.label, range, limit)
        if let request = criteria.request {
            found.merge(try find(request, range, limit), of: range, limit: limit)
        }
        return found
    }

    private var driver: Driver {
        if criteria.product != nil { return criteria.wantsChangesOnly ? .changes : .product }
        return criteria.users != nil ? .users : .positions
    }

    /// An id that we gave is in no index; it tells its own time.
    private func find(_ request: UUIDv7, _ range: PositionRange, _ limit: Int) throws -> Found {
        let clock = LogClock(session: session)
        let made = request.madeAt
        var window = range
        window.low = max(
            range.low,
            try clock.position(at: made.advanced(byMicroseconds: -Self.requestWindow.before))
        )
        window.high = min(
            range.high,
            try clock.position(at: made.advanced(byMicroseconds: Self.requestWindow.after))
        )
        guard !window.isEmpty else { return Found(positions: [], rest: range.done) }
        var found = try run(.positions, window, limit)
        found.rest = found.rest.isEmpty ? range.done : range.rest(after: found.rest.frontier)
        return found
    }

    private func run(_ driver: Driver, _ range: PositionRange, _ limit: Int) throws -> Found {
        var found = Found(positions: [], rest: range)
        var (budget, stretch) = (examinedLimit, Self.firstStretch)
        let newestFirst = range.order == .newestFirst
        while !found.rest.isEmpty, found.positions.count < limit, budget > 0 {
            let size = min(stretch, budget)
            let parameters = criteria.parameters
                .int64(found.rest.low).int64(found.rest.high).bool(newestFirst).int32(Int32(size))
            let row = try session.query(driver.statement, parameters).only()
            let positions = try row.int64Array(0)
            found.positions += newestFirst ? positions.reversed() : positions
            let examined = Int(try row.int32(3))
            budget -= examined
            if examined < size {
                found.rest = found.rest.done
            } else {
                found.rest = found.rest.rest(after: try row.int64(newestFirst ? 1 : 2))
            }
            stretch = min(stretch * 4, Self.longestStretch)
        }
        found.cut(to: limit, of: range)
        return found
    }
}

extension EventScan.Found {
    /// Leaves what exceeds `limit` to the next page.
    fileprivate mutating func cut(to limit: Int, of range: PositionRange) {
        guard positions.count > limit else { return }
        positions.removeLast(positions.count - limit)
        if let last = positions.last { rest = range.rest(after: last) }
    }

    /// Adds what another scan of the same range found: complete as far as both are.
    fileprivate mutating func merge(_ other: EventScan.Found, of range: PositionRange, limit: Int) {
        rest = rest.joined(other.rest)
        let all = Set(positions).union(other.positions).filter { !rest.contains($0) }
        positions = range.order == .oldestFirst ? all.sorted() : all.sorted(by: >)
        cut(to: limit, of: range)
    }
}
