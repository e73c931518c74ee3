package import HTTPTypes

extension HTTPField.Name {
    package static let requestID = known("X-Request-Id")
    /// The position of the last event that an answer made.
    package static let eventPosition = known("X-Event-Position")
    package static let apiKey = known("x-api-key")
    /// The end user, named by a key that has the scope `act-as`.
    package static let userID = known("x-user-id")
    package static let traceParent = known("traceparent")
    package static let link = known("Link")
    package static let acceptPost = known("Accept-Post")
    package static let acceptPatch = known("Accept-Patch")
    package static let referrerPolicy = known("Referrer-Policy")

    private static func known(_ name: StaticString) -> Self {
        guard let name = HTTPField.Name("\(name)") else { preconditionFailure("\(name) is no field name") }
        return name
    }
}
