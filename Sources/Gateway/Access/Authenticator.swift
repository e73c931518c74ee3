import Catalog
import EventLog
import HTTPTypes

/// Finds out who asks.
struct Authenticator: Sendable {
    let keys: KeyStore

    /// - Parameter grace: while keys cannot be looked up, one that was found right within this time passes.
    /// - Throws: `Problem` (401, 400), or `PostgresError` when keys cannot be looked up.
    func identify(_ headers: HTTPFields, grace: Duration) async throws -> Identity {
        let credentials = try Credentials(headers)
        guard let key = try await keys.authenticate(credentials.key, grace: grace) else {
            throw Problem.unauthenticated("the API key is not valid")
        }
        return Identity(key: key, actingFor: credentials.actingFor)
    }
}

/// Somebody known, and what he may do.
struct Identity: Sendable {
    private let key: APIKey
    /// The user in whose name events are recorded.
    let caller: Caller
    private let namesUnreadableUser: Bool
    private let namesUser: Bool

    init(key: APIKey, actingFor name: String?) {
        self.key = key
        namesUser = name != nil
        let endUser = name.flatMap(Self.endUser)
        namesUnreadableUser = name != nil && endUser == nil
        if let endUser, key.allows(.actAs) {
            caller = Caller(userID: endUser, client: key.client, auth: .actAs)
        } else {
            caller = Caller(userID: key.userID, client: key.client, auth: .key)
        }
    }

    /// The scope that is missing for a request that needs `scope`.
    func missingScope(for scope: Scope) -> Scope? {
        if namesUser, !key.allows(.actAs) { return .actAs }
        return key.allows(scope) ? nil : scope
    }

    /// - Throws: `invalid-header` when `x-user-id` names nobody whom a client may name.
    func checkEndUser() throws(Problem) {
        guard !namesUnreadableUser else {
            throw Problem(
                .invalidHeader,
                "x-user-id must be 1 to 128 printable characters and must not begin with 'system:' or 'role:'"
            )
        }
    }

    /// U+FFFD stands for bytes that were not UTF-8.
    private static func endUser(_ name: String) -> UserID? {
        name.unicodeScalars.contains("\u{fffd}") ? nil : UserID(external: name)
    }
}
