package import Catalog
import Foundation

/// A queue of AWS SQS, or of something that speaks its protocol.
///
/// As JSON: `{"queueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/products.fifo", "region", "endpointUrl",
/// "profile", "groupBatch"}`, all but the first optional. No secrets stand in it.
package struct SQSConfiguration: Sendable, Hashable {
    package let queueURL: String
    package let region: String?
    /// Where requests go; by default to the queue URL's host.
    package let endpointURL: String?
    /// A profile in `~/.aws`.
    package let profile: String?
    /// Messages of one product in one request, 1 to 10. With more than one, a request of which SQS takes a part can put a
    /// later event before an earlier one.
    package let groupBatch: Int

    package init(
        queueURL: String,
        region: String? = nil,
        endpointURL: String? = nil,
        profile: String? = nil,
        groupBatch: Int = 1
    ) {
        self.queueURL = queueURL
        self.region = region
        self.endpointURL = endpointURL
        self.profile = profile
        self.groupBatch = groupBatch
    }

    package var isFIFO: Bool { queueURL.hasSuffix(".fifo") }

    package var json: JSONValue {
        var members = [JSONMember(key: "queueUrl", value: .string(queueURL))]
        if let region { members.append(JSONMember(key: "region", value: .string(region))) }
        if let endpointURL { members.append(JSONMember(key: "endpointUrl", value: .string(endpointURL))) }
        if let profile { members.append(JSONMember(key: "profile", value: .string(profile))) }
        if groupBatch != 1 { members.append(JSONMember(key: "groupBatch", value: .integer(groupBatch))) }
        return .object(members)
    }

    init(json: JSONValue) throws(DestinationError) {
        func text(_ key: String) -> String? {
            guard case .string(let text)? = json[key] else { return nil }
            return text
        }
        guard let queueURL = text("queueUrl") else { throw DestinationError("the configuration has no queueUrl") }
        var groupBatch = 1
        if case .number(let digits)? = json["groupBatch"] { groupBatch = Int(digits) ?? 0 }
        self.init(
            queueURL: queueURL,
            region: text("region"),
            endpointURL: text("endpointUrl"),
            profile: text("profile"),
            groupBatch: groupBatch
        )
        if let fault { throw DestinationError(fault) }
    }

    /// What is wrong with it; nil when nothing is.
    package var fault: String? {
        guard let url = Self.address(queueURL), url.path.split(separator: "/").last.map({ !$0.isEmpty }) == true else {
            return "the queue URL is no http or https URL with a queue's name and without credentials"
        }
        if let endpointURL, Self.address(endpointURL) == nil {
            return "the endpoint is no http or https URL without credentials"
        }
        guard (1...10).contains(groupBatch) else { return "groupBatch is a number from 1 to 10" }
        return nil
    }

    /// The region that the queue's host names, as `sqs.eu-west-1.amazonaws.com` does.
    var regionOfHost: String? {
        let labels = (Self.address(queueURL)?.host ?? "").split(separator: ".")
        guard labels.count >= 4, labels[0] == "sqs", labels[2] == "amazonaws" else { return nil }
        return String(labels[1])
    }

    /// A URL with scheme and host, without credentials, query and fragment.
    static func address(_ text: String) -> URLComponents? {
        guard let url = URLComponents(string: text), ["http", "https"].contains(url.scheme), url.host?.isEmpty == false,
            url.user == nil, url.password == nil, url.query == nil, url.fragment == nil,
            url.port.map({ (1...65_535).contains($0) }) ?? true
        else { return nil }
        return url
    }
}
