/// How to reach a NATS server, and how long to wait for it.
package struct NATSConfiguration: Sendable {
    /// Tried in this order; the first that answers is taken.
    package var servers: [NATSAddress]
    package var credentials: NATSCredentials
    /// A file of PEM certificates to trust in place of the system's.
    package var trustedCertificates: String?
    /// Shown by the server's monitoring.
    package var name: String
    /// For each address: connection, TLS and greeting together.
    package var connectTimeout: Duration = .seconds(5)
    /// After so long without an answer the next address is tried beside those before it.
    package var headStart: Duration = .milliseconds(500)
    /// From when a request is made to its answer.
    package var requestTimeout: Duration = .seconds(5)
    /// The server is asked for a sign of life so often; the connection ends when two go unanswered.
    package var pingInterval: Duration = .seconds(10)
    package var limits = Exchanges<Void>.Limits()

    package static let serversLimit = 16

    package init(
        servers: [NATSAddress],
        credentials: NATSCredentials = .none,
        trustedCertificates: String? = nil,
        name: String = "rastro"
    ) {
        self.servers = servers
        self.credentials = credentials
        self.trustedCertificates = trustedCertificates
        self.name = name
    }
}
