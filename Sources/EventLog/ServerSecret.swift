import Catalog
import Crypto
import Foundation

/// The server's secret, from which the AWS key pairs of all API keys and the secrets of all webhooks follow: nothing of
/// theirs is stored.
///
/// It lies in a file outside the database. Who has it can sign as any key; with another one every AWS pair and every
/// webhook's secret changes.
package struct ServerSecret: Sendable {
    private static let prefix = "RASTROKEY"
    package static let byteCounts = 32...4_096

    private let key: SymmetricKey

    /// A secret as its file holds it, without the line's end; nil when it has too few bytes or too many.
    package init?(_ text: String) {
        guard Self.byteCounts.contains(text.utf8.count) else { return nil }
        key = SymmetricKey(data: Array(text.utf8))
    }

    /// A new one: 64 hexadecimal digits, 256 random bits.
    package static func randomText() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<4).map { _ in
            let digits = String(generator.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.utf8.count) + digits
        }.joined()
    }

    /// The access key id of an API key: `RASTROKEY` and the key's id in upper case.
    package static func accessKeyID(of keyID: String) -> String { prefix + keyID.uppercased() }

    /// The API key's id; nil when it is no access key id of ours.
    package static func keyID(ofAccessKey id: String) -> String? {
        guard id.hasPrefix(prefix), id.utf8.count <= 64, id == id.uppercased() else { return nil }
        return id.dropFirst(prefix.utf8.count).lowercased()
    }

    /// The secret access key that goes with an API key: 40 characters of base 64, the first 30 bytes of
    /// `HMAC-SHA256(secret, "rastro/aws-secret/v1" ‖ 0x00 ‖ key id ‖ 0x00 ‖ generation)`. Rotating the key changes it.
    package func secretAccessKey(of keyID: String, generation: Int32) -> String {
        let message = Array("rastro/aws-secret/v1\0\(keyID)\0\(generation)".utf8)
        let code = HMAC<SHA256>.authenticationCode(for: message, using: key)
        return Base64URL.encode(Array(code.prefix(30))).replacing("-", with: "+").replacing("_", with: "/")
    }

    /// The secret that signs a webhook's messages: `whsec_` and 32 bytes in base 64, the
    /// `HMAC-SHA256(secret, "rastro/webhook-secret/v1" ‖ 0x00 ‖ id)`. A new id is a new secret.
    package func webhookSecret(_ id: String) -> String {
        "whsec_" + Data(webhookKey(id)).base64EncodedString()
    }

    /// The bytes of `webhookSecret`.
    package func webhookKey(_ id: String) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array("rastro/webhook-secret/v1\0\(id)".utf8), using: key))
    }
}
