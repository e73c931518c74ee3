import AsyncHTTPClient
import Foundation
import NIOCore
import Synchronization

/// Talks to one endpoint, and only to addresses of its host that were looked at and may be reached: what a name stands
/// for can change between the look and the connection, so it is the address that is connected to.
final class WebhookClient: Sendable {
    private struct Connected {
        var client: HTTPClient?
        var address: IPAddress?
        /// When the host's addresses were last looked at.
        var lookedAt: ContinuousClock.Instant?
        /// Clients of addresses before, whose last requests may be under way.
        var retired: [HTTPClient] = []
    }

    private let host: String
    private let isEncrypted: Bool
    private let policy: WebhookPolicy
    private let resolver: HostResolver
    private let state = Mutex(Connected())
    /// How long an address is used before its host is looked up again; longer than any request takes.
    private static let freshness: Duration = .seconds(60)

    init(url: URLComponents, policy: WebhookPolicy, resolver: HostResolver) {
        // A host of IPv6 stands in brackets in a URL.
        host = (url.host ?? "").trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        isEncrypted = url.scheme == "https"
        self.policy = policy
        self.resolver = resolver
    }

    /// A client that connects to an address that may be reached.
    ///
    /// - Throws: when none of the host's may be, or it is unknown.
    func client() async throws(DestinationError) -> HTTPClient {
        let fresh = state.withLock { state in
            state.lookedAt.map { ContinuousClock.now - $0 < Self.freshness } ?? false ? state.client : nil
        }
        if let fresh { return fresh }
        let address = try choose(await resolver.addresses(of: host))
        let (client, old) = state.withLock { state -> (HTTPClient, [HTTPClient]) in
            state.lookedAt = .now
            if let client = state.client, state.address == address { return (client, []) }
            let old = state.retired
            state.retired = state.client.map { [$0] } ?? []
            let client = Self.connecting(host, to: address)
            (state.client, state.address) = (client, address)
            return (client, old)
        }
        for client in old { try? await client.shutdown() }
        return client
    }

    /// Has the host looked up again before the next request: its address may have changed.
    func forget() { state.withLock { $0.lookedAt = nil } }

    func close() async {
        let all = state.withLock { state in
            defer { state = Connected() }
            return state.retired + (state.client.map { [$0] } ?? [])
        }
        for client in all { try? await client.shutdown() }
    }

    private func choose(_ addresses: [IPAddress]) throws(DestinationError) -> IPAddress {
        var objection = "the host has no address"
        for address in addresses {
            guard let found = policy.objection(to: address, isEncrypted: isEncrypted) else { return address }
            objection = found
        }
        throw DestinationError(objection)
    }

    private static func connecting(_ host: String, to address: IPAddress) -> HTTPClient {
        var settings = HTTPClient.Configuration()
        settings.redirectConfiguration = .disallow
        settings.timeout = HTTPClient.Configuration.Timeout(connect: .seconds(5))
        // The name stays in the Host header and in TLS; only the address is ours.
        settings.dnsOverride = [host: address.description]
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
    }
}
