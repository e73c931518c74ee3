import Crypto

/// The text of an API key: `rastro_<id>_<secret><checksum>`, all lower-case base 32 without padding.
///
/// The id (8 characters) is public. The secret (32 characters, 160 random bits) is shown once and stored only as a
/// SHA-256. The checksum (6 characters of the SHA-256 of what stands before it) lets scanners and typing errors be told
/// from wrong keys without a look into the database.
package struct APIKeyText: Sendable {
    package let keyID: String
    package let secret: String

    private static let alphabet = Array("abcdefghijkmnpqrstuvwxyz23456789".utf8)
    private static let idLength = 8
    private static let secretLength = 32
    private static let checksumLength = 6

    /// A new key.
    package init() { self.init(keyID: Self.random(Self.idLength)) }

    /// A new secret under a given id: rotation.
    package init(keyID: String) {
        self.keyID = keyID
        secret = Self.random(Self.secretLength)
    }

    /// Reads a presented key; nil when it is malformed or its checksum is wrong.
    package init?(_ text: String) {
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "rastro", parts[1].utf8.count == Self.idLength,
            parts[2].utf8.count == Self.secretLength + Self.checksumLength
        else { return nil }
        keyID = String(parts[1])
        secret = String(parts[2].prefix(Self.secretLength))
        guard parts[2].suffix(Self.checksumLength) == Self.checksum(keyID, secret) else { return nil }
    }

    /// The whole key, to be shown once.
    package var text: String { "rastro_\(keyID)_\(secret)\(Self.checksum(keyID, secret))" }

    /// What is stored of the secret.
    package var secretHash: [UInt8] { Array(SHA256.hash(data: Array(secret.utf8))) }

    private static func random(_ count: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        return String(decoding: (0..<count).map { _ in alphabet[Int(generator.next() & 31)] }, as: UTF8.self)
    }

    private static func checksum(_ keyID: String, _ secret: String) -> String {
        let digest = SHA256.hash(data: Array("rastro_\(keyID)_\(secret)".utf8))
        return String(decoding: digest.prefix(checksumLength).map { alphabet[Int($0 & 31)] }, as: UTF8.self)
    }
}
