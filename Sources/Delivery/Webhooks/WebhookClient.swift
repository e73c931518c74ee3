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
        var retired: [(client: HTTPClient, since: ContinuousClock.Instant)] = []
    }

    private let host: String
    private let isEncrypted: Bool
    private let policy: WebhookPolicy
    private let resolver: HostResolver
    /// How long a connection may take.
    private let patience: TimeAmount
    private let state = Mutex(Connected())
    /// How long an address is used before its host is looked up again; longer than any request takes.
    private static let freshness: Duration = .seconds(60)

    init(url: URLComponents, policy: WebhookPolicy, resolver: HostResolver, connecting patience: TimeAmount) {
        // A host of IPv6 stands in brackets in a URL.
        host = (url.host ?? "").trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        isEncrypted = url.scheme == "https"
        self.policy = policy
        self.resolver = resolver
        self.patience = patience
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
            let now = ContinuousClock.now
            let old = state.retired.filter { now - $0.since > Self.freshness }.map(\.client)
            state.retired.removeAll { now - $0.since > Self.freshness }
            if let client = state.client { state.retired.append((client, now)) }
            let client = connecting(to: address)
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
            return state.retired.map(\.client) + (state.client.map { [$0] } ?? [])
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

    private func connecting(to address: IPAddress) -> HTTPClient {
        var settings = HTTPClient.Configuration()
        settings.redirectConfiguration = .disallow
        settings.timeout = HTTPClient.Configuration.Timeout(connect: patience)
        // The name stays in the Host header and in TLS; only the address is ours.
        settings.dnsOverride = [host: address.description]
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
    }
}
