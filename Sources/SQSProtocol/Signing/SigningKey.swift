import Crypto

/// A secret access key made good for one scope. Deriving it costs four HMACs: keep it for the day.
package struct SigningKey: Sendable {
    package let scope: CredentialScope
    private let key: SymmetricKey

    package init(secretAccessKey: String, scope: CredentialScope) {
        self.scope = scope
        var key = SymmetricKey(data: Array("AWS4\(secretAccessKey)".utf8))
        for part in [scope.day, scope.region, scope.service, CredentialScope.end] {
            key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key))
        }
        self.key = key
    }

    /// The signature of a request.
    ///
    /// - Parameter date: as its `x-amz-date` has it.
    /// - Parameter signedNames: names of fields in lower case, sorted.
    func signature(of request: SignableRequest, signedNames: [String], date: String) -> [UInt8] {
        let canonical = CanonicalRequest(request, signedNames: signedNames)
        let text =
            "\(PresentedSignature.algorithm)\n\(date)\n\(scope)\n\(Digest.sha256(canonical.bytes))"
        return Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
    }
}
