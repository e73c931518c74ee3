package import Catalog
import Crypto

/// How a leaf names a user without naming him: `SHA256("rastro/user/v1" ‖ 0x00 ‖ key ‖ id)`.
///
/// The key is random and disclosed with an event's answer, so anyone can check the binding; once id and key are
/// erased nobody can guess it back.
package struct ActorCommitment: Sendable {
    package let key: [UInt8]
    package let actor: [UInt8]

    /// A commitment under a new random key.
    package init(userID: UserID) {
        var generator = SystemRandomNumberGenerator()
        self.init(userID: userID, key: (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    /// The commitment under a given 32-byte key.
    package init(userID: UserID, key: [UInt8]) {
        self.key = key
        var hash = SHA256()
        hash.update(data: Array("rastro/user/v1".utf8) + [0])
        hash.update(data: key)
        hash.update(data: Array(userID.description.utf8))
        actor = Array(hash.finalize())
    }
}
