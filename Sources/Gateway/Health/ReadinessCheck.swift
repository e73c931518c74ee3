package import EventLog
import LibPQ

/// One thing that must be so before a server takes requests.
package struct ReadinessCheck: Sendable {
    /// As `/readyz` names it: lower case, words joined by `-`.
    package let name: String
    /// Nil when all is well, else what is wrong: safe to show to anyone.
    package let check: @Sendable () async -> String?

    package init(name: String, check: @escaping @Sendable () async -> String?) {
        self.name = name
        self.check = check
    }

    /// The database answers, and holds the log that this process was started for.
    package static func database(_ log: EventLog) -> ReadinessCheck {
        ReadinessCheck(name: "database", log) { (session) throws(PostgresError) in
            guard let found = try LogIdentity.read(session) else { return "the database has no log" }
            return found == log.identity ? nil : "the database holds another log than at the start"
        }
    }

    /// The schema has all that this program needs. A newer one will do: servers are replaced one after the other.
    package static func schema(_ log: EventLog) -> ReadinessCheck {
        ReadinessCheck(name: "schema", log) { (session) throws(PostgresError) in
            let rows = try session.query(schemaVersion)
            let (found, needed) = (rows.isEmpty ? 0 : Int(try rows[0].int32(0)), Migrator.latest)
            return found >= needed ? nil : "the schema is at version \(found); this program needs \(needed)"
        }
    }

    /// Some process serves each queue: its lease runs.
    package static func queues(_ log: EventLog) -> ReadinessCheck {
        ReadinessCheck(name: "queues", log) { (session) throws(PostgresError) in
            var names: [String] = []
            for row in try session.query(orphanedQueues) { names.append(try row.text(0)) }
            return names.isEmpty ? nil : "no process serves \(names.joined(separator: ", "))"
        }
    }

    private static let schemaVersion = Statement(
        name: "ready_schema",
        text: "select coalesce(max(number), 0) from schema_versions"
    )
    private static let orphanedQueues = Statement(
        name: "ready_queues",
        text: """
            select name from queues
            where is_built_in and over_log and (owner is null or lease_until is null or lease_until <= clock_timestamp())
            order by queue_id
            """
    )

    /// - Parameter ask: one short statement.
    private init(
        name: String,
        _ log: EventLog,
        _ ask: @escaping @Sendable (Session) throws(PostgresError) -> String?
    ) {
        self.init(name: name) {
            do { return try await log.readers.withConnection(ask) } catch { return "the database cannot be reached" }
        }
    }
}
