package import Catalog

/// A signature (AWS Signature Version 4) that came with a request; nothing of it is proven yet.
///
/// Verify it in three steps: read it, `check` what needs no secret, look the key up, ask `isMade(by:for:)`.
package struct PresentedSignature: Sendable {
    static let algorithm = "AWS4-HMAC-SHA256"
    /// How far a request's date may be off.
    package static let tolerance: Duration = .seconds(900)
    /// More names than any client signs.
    private static let signedNameLimit = 64

    package let accessKeyID: String
    package let scope: CredentialScope
    /// In lower case, sorted.
    package let signedNames: [String]
    /// `x-amz-date` as it was sent.
    package let date: String
    private let signature: [UInt8]

    /// Reads `Authorization` and `x-amz-date`.
    package init(_ request: SignableRequest) throws(SignatureFault) {
        let values = request.fields.filter { $0.name == "authorization" }
        guard let header = values.first?.value else { throw .missing }
        guard values.count == 1 else {
            throw .incomplete("The request has more than one Authorization header.")
        }
        let parameters = try Self.parameters(header)
        let credential = try Self.required("Credential", of: parameters)
            .split(separator: "/", omittingEmptySubsequences: false)
        // The key's id may hold slashes; the scope's four parts may not.
        guard credential.count >= 5, credential.last.map({ $0 == CredentialScope.end }) ?? false else {
            throw .incomplete(
                "Credential must have the form <key>/<date>/<region>/<service>/aws4_request."
            )
        }
        let parts = credential.suffix(4).map(String.init)
        accessKeyID = credential.dropLast(4).joined(separator: "/")
        scope = CredentialScope(day: parts[0], region: parts[1], service: parts[2])
        signedNames = try Self.required("SignedHeaders", of: parameters).split(separator: ";").map(
            String.init
        )
        guard (1...Self.signedNameLimit).contains(signedNames.count),
            zip(signedNames, signedNames.dropFirst()).allSatisfy({ $0 < $1 }),
            signedNames.allSatisfy({ $0 == $0.lowercased() })
        else { throw .incomplete("SignedHeaders must be lower-case names in order, each once.") }
        guard
            let bytes = Hexadecimal.decode(
                lowercase: Array(try Self.required("Signature", of: parameters).utf8)
            ),
            bytes.count == 32
        else { throw .incomplete("Signature must be 64 lower-case hexadecimal digits.") }
        signature = bytes
        guard let date = request["x-amz-date"] else {
            throw .incomplete("Authorization header requires existence of an 'X-Amz-Date' header.")
        }
        self.date = date
    }

    /// Checks everything that needs no secret: date, scope, which fields are signed.
    package func check(_ request: SignableRequest, service: String, now: Timestamp)
        throws(SignatureFault)
    {
        guard let signedAt = Timestamp(amazonDate: date) else {
            throw .incomplete("X-Amz-Date must have the form 20260131T120000Z.")
        }
        let tolerance = Self.tolerance.components.seconds * 1_000_000
        let age = now.microseconds - signedAt.microseconds
        guard age <= tolerance else { throw .expired(signedAt: signedAt, now: now) }
        guard age >= -tolerance else { throw .notYetCurrent(signedAt: signedAt, now: now) }
        guard scope.service == service else {
            throw .wrongScope("Credential should be scoped to correct service: '\(service)'.")
        }
        guard scope.hasRegion else {
            throw .wrongScope("Credential should be scoped to a valid region.")
        }
        guard date.hasPrefix(scope.day), scope.day.utf8.count == 8 else {
            throw .wrongScope("Date in Credential scope does not match YYYYMMDD from X-Amz-Date.")
        }
        let signed = Set(signedNames)
        let mustBeSigned =
            ["host", "x-amz-date"] + request.fields.map(\.name).filter { $0.hasPrefix("x-amz-") }
        for name in mustBeSigned where !signed.contains(name) { throw .unsigned(name) }
        let present = Set(request.fields.map(\.name))
        for name in signedNames where !present.contains(name) { throw .absent(name) }
    }

    /// Whether the secret behind `key` signed this request; takes as long wherever the signatures differ.
    package func isMade(by key: SigningKey, for request: SignableRequest) -> Bool {
        let expected = key.signature(of: request, signedNames: signedNames, date: date)
        guard key.scope == scope, expected.count == signature.count else { return false }
        return zip(expected, signature).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

extension PresentedSignature {
    private static func parameters(_ header: String) throws(SignatureFault) -> [Substring: String] {
        guard let space = header.firstIndex(of: " "), header[..<space] == algorithm else {
            throw .incomplete("The only Authorization known here is \(algorithm).")
        }
        var parameters: [Substring: String] = [:]
        for part in header[space...].split(separator: ",") {
            let pair = part.drop { $0 == " " }.split(
                separator: "=",
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            guard pair.count == 2, parameters[pair[0]] == nil else {
                throw .incomplete("Authorization must be a list of name=value pairs, each name once.")
            }
            var value = pair[1]
            while value.last == " " { value.removeLast() }
            parameters[pair[0]] = String(value)
        }
        return parameters
    }

    private static func required(
        _ name: Substring,
        of parameters: [Substring: String]
    ) throws(SignatureFault) -> String {
        guard let value = parameters[name], !value.isEmpty else {
            throw .incomplete("Authorization header requires '\(name)' parameter.")
        }
        return value
    }
}
