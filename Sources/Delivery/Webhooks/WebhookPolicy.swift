package import EventLog

/// What this server needs for webhooks, and where it lets them go.
package struct WebhookPolicy: Sendable {
    /// All webhooks' secrets follow from it; nil: this server can sign nothing.
    package let secret: ServerSecret?
    /// Networks that webhooks may reach though they are not public, and without TLS.
    package let networks: [AddressBlock]

    package init(secret: ServerSecret?, networks: [AddressBlock] = []) {
        self.secret = secret
        self.networks = networks
    }

    /// Blocks separated by commas; nil when one of them is none.
    package static func networks(list: String) -> [AddressBlock]? {
        let parts = list.split(separator: ",").map { $0.filter { $0 != " " } }
        let blocks = parts.compactMap(AddressBlock.init)
        return blocks.count == parts.count ? blocks : nil
    }

    /// Why nothing may be sent to an address; nil when it may.
    func objection(to address: IPAddress, isEncrypted: Bool) -> String? {
        if networks.contains(where: { $0.contains(address) }) { return nil }
        guard address.isPublic else { return "the address is not a public one, and its network is not allowed" }
        return isEncrypted ? nil : "without TLS only networks that are allowed can be reached"
    }
}
