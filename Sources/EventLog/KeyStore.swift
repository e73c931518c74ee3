package import LibPQ
package import Logging
import Synchronization

/// Checks presented API keys.
///
/// An answer is remembered for two seconds. That is safe: a batch checks every key and its generation again under the
/// head's lock, so no event by a key follows its revocation, and none by an old secret its rotation.
package final class KeyStore: Sendable {
    private struct Entry {
        let key: APIKey?
        let readAt: ContinuousClock.Instant
    }

    private let pool: Pool
    private let logger: Logger
    /// Nil: no AWS signature can be verified.
    private let secret: ServerSecret?
    private let cache = Mutex<[String: Entry]>([:])
    /// Keys that were presented whole and found right, by their whole text.
    private let proven = Mutex<[String: Entry]>([:])
    private static let lifetime: Duration = .seconds(2)
    /// Unknown ids are remembered too, so guesses cost nothing; beyond this many the cache starts anew.
    private static let cacheLimit = 10_000

    package init(pool: Pool, secret: ServerSecret? = nil, logger: Logger) {
        self.pool = pool
        self.secret = secret
        self.logger = logger
    }

    /// The key that was presented; nil when it is malformed, unknown, revoked or expired.
    ///
    /// - Parameter grace: while keys cannot be looked up, one that was found right within this time passes.
    package func authenticate(_ presented: String, grace: Duration = .zero) async throws(PostgresError) -> APIKey? {
        guard let key = try await identify(presented, grace: grace), !key.isExpired(at: .now()) else { return nil }
        return key
    }

    /// Whether AWS signatures can be verified.
    package var knowsSecret: Bool { secret != nil }

    /// The key that an AWS access key id names; nil when it is unknown, revoked or expired. Nothing is proven by it.
    package func find(accessKeyID: String) async throws(PostgresError) -> APIKey? {
        guard let keyID = ServerSecret.keyID(ofAccessKey: accessKeyID), let key = try await find(keyID).key,
            !key.isExpired(at: .now())
        else { return nil }
        return key
    }

    /// What signs requests in the name of a key; nil when the server has no secret.
    package func secretAccessKey(of key: APIKey) -> String? {
        secret?.secretAccessKey(of: key.keyID, generation: key.generation)
    }

    private func identify(_ presented: String, grace: Duration) async throws(PostgresError) -> APIKey? {
        let now = ContinuousClock.now
        let known = proven.withLock { $0[presented] }
        if let known, now - known.readAt < Self.lifetime { return known.key }
        guard let text = APIKeyText(presented) else { return nil }
        let entry: Entry
        do throws(PostgresError) {
            entry = try await find(text.keyID)
        } catch {
            guard let known, now - known.readAt < grace else { throw error }
            return known.key
        }
        guard let key = entry.key, key.matches(text) else { return nil }
        proven.withLock { Self.remember(entry, as: presented, in: &$0) }
        return key
    }

    private func find(_ keyID: String) async throws(PostgresError) -> Entry {
        let now = ContinuousClock.now
        if let entry = cache.withLock({ $0[keyID] }), now - entry.readAt < Self.lifetime { return entry }
        let key: APIKey?
        do {
            key = try await pool.withConnection { try APIKey.read($0, keyID: keyID) }
        } catch let error as PostgresError {
            throw error
        } catch {
            throw PostgresError(code: .cancelled, message: "\(error)")
        }
        let entry = Entry(key: key, readAt: now)
        cache.withLock { Self.remember(entry, as: keyID, in: &$0) }
        return entry
    }

    private static func remember(_ entry: Entry, as name: String, in cache: inout [String: Entry]) {
        if cache.count >= cacheLimit { cache.removeAll(keepingCapacity: true) }
        cache[name] = entry
    }
}
