import Foundation

/// A server's host and port.
package struct NATSAddress: Sendable, Hashable, CustomStringConvertible {
    package let host: String
    package let port: Int
    /// TLS is a must, whatever the server says of itself.
    package let requiresTLS: Bool

    package static let defaultPort = 4222

    package init(host: String, port: Int = defaultPort, requiresTLS: Bool = false) {
        self.host = host
        self.port = port
        self.requiresTLS = requiresTLS
    }

    /// - Parameter url: `nats://host:port`, or `tls://host:port` when TLS is a must. Names and passwords in it are
    ///   refused: URLs are shown and logged.
    package init(url: String) throws(NATSError) {
        guard let parts = URLComponents(string: url), let scheme = parts.scheme?.lowercased(),
            scheme == "nats" || scheme == "tls", let host = parts.host, !host.isEmpty,
            parts.path.isEmpty || parts.path == "/", parts.query == nil, 1...65_535 ~= parts.port ?? Self.defaultPort
        else { throw NATSError(.invalidConfiguration, "a server's address is not nats://host:port or tls://host:port") }
        guard parts.user == nil, parts.password == nil else {
            throw NATSError(.invalidConfiguration, "a server's address must not hold a name or password")
        }
        let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        self.init(host: bare, port: parts.port ?? Self.defaultPort, requiresTLS: scheme == "tls")
    }

    package var description: String {
        "\(requiresTLS ? "tls" : "nats")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }
}
