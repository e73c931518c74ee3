package import Catalog
package import LibPQ
import Synchronization

/// Making, rotating and ending API keys: each an OPERATED event in the act's own transaction.
package struct KeyAdministration: Sendable {
    private let log: EventLog
    private let context: RequestContext

    package init(log: EventLog, context: RequestContext) {
        self.log = log
        self.context = context
    }

    /// A key that was just made: the only moment at which its text is known.
    package struct Issued: Sendable {
        package let keyID: String
        package let text: String
        /// 1, and one more with each rotation.
        package let generation: Int32
        package let position: Int64
    }

    package func create(
        owner: UserID,
        scopes: Set<Scope>,
        plan: String? = nil,
        expiresAt: Timestamp? = nil
    ) async throws(CommitError) -> Issued {
        let key = APIKeyText()
        let names = scopes.map(\.rawValue).sorted()
        let act = Act { session, context in
            let number = try context.userNumber(owner)
            let parameters = Parameters()
                .text(key.keyID).int32(number).bytes(key.secretHash).textArray(names).text(plan)
                .timestamp(microsecondsSinceEpoch: context.recordedAt().microseconds)
                .timestamp(microsecondsSinceEpoch: expiresAt?.microseconds)
            _ = try session.query(Statements.insertApiKey, parameters)
            var data = OperationData(action: "key.created")
            data.add("key", key.keyID)
            data.add("owner", Int64(number))
            data.add("scopes", names)
            if let plan { data.add("plan", plan) }
            if let expiresAt { data.add("expiresAt", expiresAt.description) }
            return data.bytes
        }
        let outcome = try await log.submit(.act(act), context: context)
        guard let position = outcome.position else { throw .refused(sqlState: "XX000") }
        return Issued(keyID: key.keyID, text: key.text, generation: 1, position: position)
    }

    /// Ends a key at once; nil when there is no such active key.
    package func revoke(_ keyID: String) async throws(CommitError) -> Int64? {
        let act = Act { session, context in
            let parameters = Parameters().text(keyID)
                .timestamp(microsecondsSinceEpoch: context.recordedAt().microseconds)
            let rows = try session.query(Statements.revokeApiKey, parameters)
            guard try !rows.only().isNull(0) else { return nil }
            var data = OperationData(action: "key.revoked")
            data.add("key", keyID)
            data.add("owner", Int64(try rows[0].int32(1)))
            return data.bytes
        }
        return try await log.submit(.act(act), context: context).position
    }

    /// Gives a key a new secret; nil when there is no such active key.
    package func rotate(_ keyID: String) async throws(CommitError) -> Issued? {
        let key = APIKeyText(keyID: keyID)
        let generation = Atomic<Int32>(0)
        let act = Act { session, _ in
            let rows = try session.query(
                Statements.rotateApiKey,
                Parameters().text(keyID).bytes(key.secretHash)
            )
            guard try !rows.only().isNull(0) else { return nil }
            let renewed = try rows[0].int32(1)
            generation.store(renewed, ordering: .relaxed)
            var data = OperationData(action: "key.rotated")
            data.add("key", keyID)
            data.add("generation", Int64(renewed))
            return data.bytes
        }
        guard let position = try await log.submit(.act(act), context: context).position else { return nil }
        return Issued(
            keyID: keyID,
            text: key.text,
            generation: generation.load(ordering: .relaxed),
            position: position
        )
    }

    /// One line of `rastro keys list`.
    package struct Listed: Sendable {
        package let keyID: String
        package let userID: String?
        package let scopes: [String]
        package let plan: String?
        package let createdAt: Timestamp
        package let expiresAt: Timestamp?
        package let revokedAt: Timestamp?
    }

    /// All keys, oldest first.
    package static func list(_ session: Session) throws(PostgresError) -> [Listed] {
        var keys: [Listed] = []
        for row in try session.query(Statements.listApiKeys) {
            keys.append(
                Listed(
                    keyID: try row.text(0),
                    userID: try row.optionalText(1),
                    scopes: try row.textArray(2),
                    plan: try row.optionalText(3),
                    createdAt: Timestamp(microseconds: try row.timestamp(4)),
                    expiresAt: try row.optionalTimestamp(5).map(Timestamp.init(microseconds:)),
                    revokedAt: try row.optionalTimestamp(6).map(Timestamp.init(microseconds:))
                )
            )
        }
        return keys
    }
}
