import Catalog

/// What a server says of itself when a client comes.
package struct ServerInfo: Sendable, Hashable {
    package let version: String
    /// A message's headers and body together.
    package let payloadLimitBytes: Int
    package let hasHeaders: Bool
    package let hasJetStream: Bool
    let requiresTLS: Bool
    let offersTLS: Bool
    /// To be signed by who has an NKey.
    let nonce: String?

    init(json: [UInt8]) throws(NATSError) {
        let info: JSONValue
        do { info = try JSONParser.parse(json) } catch {
            throw NATSError(.protocolViolation, "INFO is not JSON: \(error.message)")
        }
        version = info["version"]?.text ?? ""
        payloadLimitBytes = info["max_payload"]?.int.flatMap { Int(exactly: $0) } ?? 1 << 20
        hasHeaders = info["headers"]?.flag ?? false
        hasJetStream = info["jetstream"]?.flag ?? false
        requiresTLS = info["tls_required"]?.flag ?? false
        offersTLS = info["tls_available"]?.flag ?? false
        nonce = info["nonce"]?.text
    }
}

extension JSONValue {
    var text: String? { if case .string(let text) = self { text } else { nil } }
    var int: Int64? { if case .number(let text) = self { Int64(text) } else { nil } }
    var flag: Bool? { if case .bool(let flag) = self { flag } else { nil } }
}
