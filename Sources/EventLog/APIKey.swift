package import Catalog
import LibPQ

/// An API key as the server knows it.
package struct APIKey: Sendable {
    package let number: Int32
    package let keyID: String
    /// The owner: who acts when nobody else is named.
    package let userID: UserID
    package let scopes: Set<Scope>
    package let expiresAt: Timestamp?
    package let generation: Int32
    let secretHash: [UInt8]

    /// Whether the key has this scope; `admin` holds every one but `act-as`.
    package func allows(_ scope: Scope) -> Bool {
        scopes.contains(scope) || (scope != .actAs && scopes.contains(.admin))
    }

    package var client: ClientReference { ClientReference(number: number, keyID: keyID, generation: generation) }

    func isExpired(at time: Timestamp) -> Bool { expiresAt.map { $0 <= time } ?? false }

    /// Compares in constant time.
    func matches(_ presented: APIKeyText) -> Bool {
        let hash = presented.secretHash
        guard hash.count == secretHash.count else { return false }
        return zip(hash, secretHash).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// Reads an active key; nil when there is none, it was revoked, or its owner was erased.
    static func read(_ session: Session, keyID: String) throws(PostgresError) -> APIKey? {
        let rows = try session.query(Statements.findApiKey, Parameters().text(keyID))
        guard !rows.isEmpty, try rows[0].isNull(5), let owner = try rows[0].optionalText(1),
            let userID = UserID(any: owner)
        else { return nil }
        return APIKey(
            number: try rows[0].int32(0),
            keyID: keyID,
            userID: userID,
            scopes: Set(try rows[0].textArray(3).compactMap(Scope.init(rawValue:))),
            expiresAt: try rows[0].optionalTimestamp(4).map(Timestamp.init(microseconds:)),
            generation: try rows[0].int32(6),
            secretHash: try rows[0].bytes(2)
        )
    }
}
