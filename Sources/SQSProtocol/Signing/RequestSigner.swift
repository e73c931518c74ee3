package import Catalog

/// An access key of AWS or of Rastro.
package struct AccessKey: Sendable {
    package let id: String
    package let secret: String
    /// Of temporary credentials.
    package let sessionToken: String?

    package init(id: String, secret: String, sessionToken: String? = nil) {
        (self.id, self.secret, self.sessionToken) = (id, secret, sessionToken)
    }
}

/// Signs requests that go out, with AWS Signature Version 4.
package struct RequestSigner: Sendable {
    private let key: AccessKey
    private let region: String
    private let service: String
    /// What proxies on the way may change.
    private static let unsignedNames: Set<String> = [
        "authorization", "connection", "expect", "transfer-encoding", "user-agent", "x-amzn-trace-id",
    ]

    package init(_ key: AccessKey, region: String, service: String = "sqs") {
        (self.key, self.region, self.service) = (key, region, service)
    }

    /// Adds `x-amz-date`, `x-amz-security-token` for temporary credentials, and `authorization`, in place of what the
    /// request had of them before. Every other field is signed as it stands.
    ///
    /// - Precondition: the request has a `host` field, as it will be sent.
    package func sign(_ request: inout SignableRequest, at time: Timestamp) {
        precondition(request["host"] != nil, "a request to be signed has a host")
        request.fields.removeAll {
            ["x-amz-date", "x-amz-security-token", "authorization"].contains($0.name)
        }
        let date = time.amazonDate
        request.fields.append(SignableRequest.Field("x-amz-date", date))
        if let token = key.sessionToken {
            request.fields.append(SignableRequest.Field("x-amz-security-token", token))
        }
        let names = Set(request.fields.map(\.name)).subtracting(Self.unsignedNames).sorted()
        let scope = CredentialScope(day: String(date.prefix(8)), region: region, service: service)
        let signature = SigningKey(secretAccessKey: key.secret, scope: scope)
            .signature(of: request, signedNames: names, date: date)
        let value =
            "\(PresentedSignature.algorithm) Credential=\(key.id)/\(scope), "
            + "SignedHeaders=\(names.joined(separator: ";")), Signature=\(Digest.hexadecimal(signature))"
        request.fields.append(SignableRequest.Field("authorization", value))
    }
}
