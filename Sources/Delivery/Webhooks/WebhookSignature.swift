import Catalog
import Crypto
import Foundation

/// A message's signatures, one a secret: `v1,<base 64 of HMAC-SHA256(key, "<id>.<timestamp>.<body>")>`, separated by
/// spaces (Standard Webhooks, "Signature scheme").
enum WebhookSignature {
    /// - Parameter seconds: since the Unix epoch: when this attempt is made.
    static func text(id: String, seconds: Int64, body: [UInt8], keys: [[UInt8]]) -> String {
        let signed = Array("\(id).\(seconds).".utf8) + body
        return keys.map { key in
            let code = HMAC<SHA256>.authenticationCode(for: signed, using: SymmetricKey(data: key))
            return "v1," + Data(code).base64EncodedString()
        }.joined(separator: " ")
    }
}
