package import Catalog
package import LibPQ

/// From times to positions: `recorded_at` strictly increases along gapless positions, so a time means one position.
package struct LogClock {
    private let session: Session

    package init(session: Session) { self.session = session }

    /// The log's last position; 0 when it is empty.
    package func end() throws(PostgresError) -> Int64 {
        let rows = try session.query(Statements.logEnd)
        return try rows.isEmpty ? 0 : rows[0].int64(0)
    }

    /// The last position with `recordedAt` ≤ `time`; 0 when there is none. O(log n) look-ups by key.
    package func position(at time: Timestamp) throws(PostgresError) -> Int64 {
        let end = try session.query(Statements.logEnd)
        guard !end.isEmpty else { return 0 }
        var (low, high) = (Int64(0), try end[0].int64(0))
        while low < high {
            let middle = low + (high - low + 1) / 2
            let rows = try session.query(Statements.recordedAt, Parameters().int64(middle))
            if try rows.only().timestamp(0) <= time.microseconds { low = middle } else { high = middle - 1 }
        }
        return low
    }
}
