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

    /// Its region is a name such as `eu-west-1`: it becomes part of ARNs.
    var hasRegion: Bool {
        (1...64).contains(region.utf8.count)
            && region.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "-")
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            }
    }

    package var description: String { "\(day)/\(region)/\(service)/\(Self.end)" }
}
