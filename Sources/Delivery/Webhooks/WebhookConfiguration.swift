package import Catalog
package import EventLog
import Foundation

/// Somebody's HTTP endpoint, which gets events as Standard Webhooks says (https://www.standardwebhooks.com).
///
/// As JSON: `{"url": "https://example.com/events", "timeoutSeconds", "concurrency", "secrets": [{"id", "check"},
/// {"id", "check", "until"}]}`. No secret stands in it: one follows from the server's secret and an id.
package struct WebhookConfiguration: Sendable, Hashable {
    package var url: String
    /// How long an answer may take, 1 to 30.
    package var timeoutSeconds = 15
    /// Requests under way at once, 1 to 64, each with an event of another product.
    package var concurrency = 8
    /// The newest first; a message bears a signature by each that is still good.
    package var secrets: [WebhookSecret]

    package init(url: String, secrets: [WebhookSecret] = []) {
        self.url = url
        self.secrets = secrets
    }

    package var json: JSONValue {
        .object([
            JSONMember(key: "url", value: .string(url)),
            JSONMember(key: "timeoutSeconds", value: .integer(timeoutSeconds)),
            JSONMember(key: "concurrency", value: .integer(concurrency)),
            JSONMember(key: "secrets", value: .array(secrets.map(\.json))),
        ])
    }

    init(json: JSONValue) throws(DestinationError) {
        guard case .string(let url)? = json["url"], case .array(let secrets)? = json["secrets"] else {
            throw DestinationError("the configuration has no url or no secrets")
        }
        self.init(url: url, secrets: secrets.compactMap(WebhookSecret.init(json:)))
        if case .number(let digits)? = json["timeoutSeconds"] { timeoutSeconds = Int(digits) ?? 0 }
        if case .number(let digits)? = json["concurrency"] { concurrency = Int(digits) ?? 0 }
        if let fault { throw DestinationError(fault) }
    }

    /// What is wrong with it; nil when nothing is.
    package var fault: String? {
        guard url.utf8.count <= Self.urlLimit, let address = URLComponents(string: url),
            ["http", "https"].contains(address.scheme), let host = address.percentEncodedHost, address.user == nil,
            address.password == nil, address.fragment == nil
        else {
            return "the URL is no http or https URL of at most \(Self.urlLimit) bytes without credentials and fragment"
        }
        guard address.port.map({ (1...65_535).contains($0) }) ?? true else { return "the URL's port is 1 to 65535" }
        guard Self.isPlain(host) else {
            return "the URL's host is a name of lower-case letters, digits, '-' and '.', or an address"
        }
        guard (1...30).contains(timeoutSeconds) else { return "an answer may take 1 to 30 seconds" }
        guard (1...64).contains(concurrency) else { return "1 to 64 requests may be under way at once" }
        return nil
    }

    private static let urlLimit = 2_048

    /// A host that everybody who reads the URL takes for the same one: the one that is looked at is connected to.
    private static func isPlain(_ host: String) -> Bool {
        if host.hasPrefix("["), host.hasSuffix("]") { return IPAddress(String(host.dropFirst().dropLast())) != nil }
        return IPAddress(host) != nil
            || !host.isEmpty
                && host.utf8.allSatisfy { byte in
                    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "-.".utf8.contains(byte)
                }
    }

    /// Signs with a new secret from now on, and with the one before as well until `end`.
    package mutating func rotate(to secret: WebhookSecret, keepingBeforeUntil end: Timestamp) {
        let before = secrets.first.map { WebhookSecret(id: $0.id, check: $0.check, until: end) }
        secrets = [secret] + (before.map { [$0] } ?? [])
    }
}

/// Names a webhook's secret. Who knows this can sign nothing.
package struct WebhookSecret: Sendable, Hashable {
    package let id: String
    /// The first half of the secret's SHA-256, in base 16: tells a server that has another server secret.
    package let check: String
    /// Until when it signs; nil: until it is rotated.
    package let until: Timestamp?

    init(id: String, check: String, until: Timestamp? = nil) {
        self.id = id
        self.check = check
        self.until = until
    }

    /// A new one.
    package init(of server: ServerSecret) {
        let id = UUIDv7().description
        self.init(id: id, check: Self.check(id, server))
    }

    fileprivate init?(json: JSONValue) {
        guard case .string(let id)? = json["id"], case .string(let check)? = json["check"] else { return nil }
        var until: Timestamp?
        if case .string(let text)? = json["until"] { until = Timestamp(rfc3339: text) }
        self.init(id: id, check: check, until: until)
    }

    fileprivate var json: JSONValue {
        var members = [
            JSONMember(key: "id", value: .string(id)), JSONMember(key: "check", value: .string(check)),
        ]
        if let until { members.append(JSONMember(key: "until", value: .string(until.description))) }
        return .object(members)
    }

    /// Whether the secret that follows from this server's is the one that the webhook's owner was given.
    func isOf(_ server: ServerSecret) -> Bool { Self.check(id, server) == check }

    private static func check(_ id: String, _ server: ServerSecret) -> String {
        String(OperationData.digest(server.webhookSecret(id)).prefix(32))
    }
}
