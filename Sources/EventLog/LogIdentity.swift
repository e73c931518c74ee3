package import LibPQ

/// Which log this is. A log that lost its tail is another log: its incarnation changes.
package struct LogIdentity: Sendable, Hashable {
    /// A URL without its scheme; pinned at first start.
    package let origin: String
    /// 8 hex digits; part of event sources, ETags, cursors and inbox keys.
    package let incarnation: String
    package let partitionSize: Int64

    /// `//<origin>/<incarnation>/products`: the CloudEvents source of its events.
    package var source: String { "//\(origin)/\(incarnation)/products" }

    /// Reads the identity; nil before `rastro migrate` made the log.
    package static func read(_ session: Session) throws(PostgresError) -> LogIdentity? {
        let rows = try session.query(Statements.logIdentity)
        guard !rows.isEmpty else { return nil }
        return LogIdentity(
            origin: try rows[0].text(0),
            incarnation: try rows[0].text(1),
            partitionSize: try rows[0].int64(3)
        )
    }
}
