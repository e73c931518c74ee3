import HTTPTypes

extension HTTPField.Name {
    static let amazonTarget = known("X-Amz-Target")
    static let amazonRequestID = known("x-amzn-RequestId")
    static let amazonQueryError = known("x-amzn-query-error")
    /// Set by a gateway that sends a request on to the queue's owner.
    static let forwarded = known("x-rastro-forwarded")
    /// Set with it: how many milliseconds a receive may still wait.
    static let waitLimit = known("x-rastro-wait")
    /// Set by a gateway that was taken for the queue's owner and is not.
    static let notOwner = known("x-rastro-not-owner")
    static let xForwardedProto = known("X-Forwarded-Proto")

    private static func known(_ name: StaticString) -> Self {
        guard let name = HTTPField.Name("\(name)") else { preconditionFailure("\(name) is no field name") }
        return name
    }
}
