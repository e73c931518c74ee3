import Catalog
import EventLog
import HTTPTypes
import Hummingbird
import SQSProtocol
import Synchronization

/// Finds out whose AWS signature a request bears.
final class SignatureAuthenticator: Sendable {
    private struct Name: Hashable {
        let number: Int32
        let generation: Int32
        let scope: CredentialScope
    }

    private let keys: KeyStore
    /// Deriving one costs as much as verifying with it twice.
    private let signingKeys = Mutex<[Name: SigningKey]>([:])
    private static let cacheLimit = 10_000
    private static let service = "sqs"

    init(keys: KeyStore) { self.keys = keys }

    /// Reads a request's signature and the key that it names; nothing is proven yet, the body need not be there.
    ///
    /// - Throws: `SignatureFault`, `SQSError` when this server verifies no signatures, `PostgresError`.
    func identify(_ request: SignableRequest) async throws -> (PresentedSignature, APIKey) {
        let signature = try PresentedSignature(request)
        try signature.check(request, service: Self.service, now: .now())
        guard keys.knowsSecret else { throw SQSError.noSecret }
        guard let key = try await keys.find(accessKeyID: signature.accessKeyID) else {
            throw SignatureFault.unknownKey
        }
        return (signature, key)
    }

    /// Proves that the key's holder sent the request.
    ///
    /// - Throws: `SignatureFault.mismatch`
    func verify(_ signature: PresentedSignature, by key: APIKey, for request: SignableRequest) throws(SignatureFault) {
        let name = Name(number: key.number, generation: key.generation, scope: signature.scope)
        if let known = signingKeys.withLock({ $0[name] }) {
            guard signature.isMade(by: known, for: request) else { throw .mismatch }
            return
        }
        guard let secret = keys.secretAccessKey(of: key) else { throw .mismatch }
        let made = SigningKey(secretAccessKey: secret, scope: signature.scope)
        guard signature.isMade(by: made, for: request) else { throw .mismatch }
        signingKeys.withLock { signingKeys in
            if signingKeys.count >= Self.cacheLimit { signingKeys.removeAll(keepingCapacity: true) }
            signingKeys[name] = made
        }
    }

    /// Whether a key that was found before is neither revoked, expired nor rotated, as was known within two seconds.
    func isGood(_ key: APIKey) async throws -> Bool {
        try await keys.find(accessKeyID: ServerSecret.accessKeyID(of: key.keyID))?.generation == key.generation
    }

    /// How many signing keys are kept; only what proved right is.
    var keptCount: Int { signingKeys.withLock(\.count) }
}

extension SignableRequest {
    /// A request as it arrived, without its body.
    init(_ request: Request) {
        let target = request.head.path ?? "/"
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var fields = request.headers.map { Field($0.name.canonicalName, $0.value) }
        if let authority = request.head.authority { fields.append(Field("host", authority)) }
        self.init(
            method: request.method.rawValue,
            path: String(parts[0]),
            query: parts.count > 1 ? String(parts[1]) : "",
            fields: fields,
            bodyDigest: ""
        )
    }
}
