package import Catalog
import EventLog
import LibPQ

/// An API key that served at a moment.
package struct KeyThen: Sendable {
    package let keyID: String
    /// `system:erased:<number>` once erased.
    package let userID: String
    package let scopes: [String]
    package let plan: String?
    package let createdAt: Timestamp
    package let expiresAt: Timestamp?
}

/// Where a list of keys goes on; the moment stays the first page's.
package struct AccessCursor: Sendable, Hashable {
    package let time: Timestamp
    /// The last key's number.
    package let number: Int32

    package init(time: Timestamp, number: Int32) {
        (self.time, self.number) = (time, number)
    }
}

package struct AccessPage: Sendable {
    package let keys: [KeyThen]
    package let next: AccessCursor?
    package let queryPosition: Int64
}

extension AuditQueries {
    /// The keys that served at a time, oldest first: made by then, not revoked and not expired. A rotation keeps its key.
    ///
    /// - Parameter time: nil is the moment of this query.
    /// - Throws: `AuditFailure` `.invalid` for a time that is yet to come.
    package func access(at time: Timestamp?, limit: Int = defaultLimit, cursor: AccessCursor? = nil) async throws
        -> AccessPage
    {
        if let time, cursor == nil { try await requireReached(.time(time)) }
        var query = QueryRecord("access")
        if let time { query.add("at", time) }
        query.add("limit", Int64(limit))
        if let cursor { query.add("after", Int64(cursor.number)) }
        let queryPosition = try await record(query)
        return try await log.readers.withConnection { session in
            let recordedAt = try session.query(Statements.auditRecordedAt, Parameters().int64Array([queryPosition]))
            let now = Timestamp(microseconds: try recordedAt.only().timestamp(1))
            // A time slightly ahead counts as now.
            let moment = cursor?.time ?? min(time ?? now, now)
            let parameters = Parameters()
                .timestamp(microsecondsSinceEpoch: moment.microseconds).int32(cursor?.number ?? 0)
                .int32(Int32(limit) + 1)
            let rows = try session.query(Statements.auditAccess, parameters)
            let keys = try rows.prefix(limit).map(KeyThen.init)
            let next = rows.count > limit ? AccessCursor(time: moment, number: try rows[limit - 1].int32(0)) : nil
            return AccessPage(keys: keys, next: next, queryPosition: queryPosition)
        }
    }
}

extension KeyThen {
    /// From `audit_access`' columns.
    fileprivate init(_ row: Row) throws {
        keyID = try row.text(1)
        userID = UserName.text(try row.optionalText(3), number: try row.int32(2))
        scopes = try row.textArray(4)
        plan = try row.optionalText(5)
        createdAt = Timestamp(microseconds: try row.timestamp(6))
        expiresAt = try row.optionalTimestamp(7).map(Timestamp.init(microseconds:))
    }
}
