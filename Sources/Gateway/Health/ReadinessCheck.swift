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
        ReadinessCheck(name: "database") {
            do {
                let found = try await log.readers.withConnection { (session) throws(PostgresError) in
                    try LogIdentity.read(session)
                }
                guard let found else { return "the database has no log" }
                return found == log.identity ? nil : "the database holds another log than at the start"
            } catch {
                return "the database cannot be reached"
            }
        }
    }
}
