/// What a signature is good for: a day, a region and a service.
package struct CredentialScope: Sendable, Hashable, CustomStringConvertible {
    /// `20260131`
    package let day: String
    package let region: String
    package let service: String

    static let end = "aws4_request"

    package init(day: String, region: String, service: String) {
        (self.day, self.region, self.service) = (day, region, service)
    }

    package var description: String { "\(day)/\(region)/\(service)/\(Self.end)" }
}
