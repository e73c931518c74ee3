import ArgumentParser
import Delivery
import Foundation
import Gateway

/// How the gateway listens.
struct GatewayOptions: ParsableArguments {
    @Option(help: "Address to listen on (or RASTRO_HOST; default 127.0.0.1).")
    var host: String?

    @Option(help: "Port to listen on, 0 picks a free one (or RASTRO_PORT; default 8080).")
    var port: Int?

    @Option(
        help: "http://HOST:PORT at which other servers reach this one (or RASTRO_ADVERTISE; default: as it listens)."
    )
    var advertise: String?

    @Option(
        help: """
            Networks that webhooks may reach though they are not public, such as 10.0.0.0/8,::1 (or \
            RASTRO_WEBHOOK_NETWORKS; default none).
            """
    )
    var webhookNetworks: String?

    func validate() throws {
        if let text = webhookNetworks ?? environment["RASTRO_WEBHOOK_NETWORKS"],
            WebhookPolicy.networks(list: text) == nil
        {
            throw ValidationError("webhook networks are addresses or blocks such as 10.0.0.0/8, comma-separated")
        }
        if let text = advertise ?? environment["RASTRO_ADVERTISE"], !Self.isAddress(text) {
            throw ValidationError("the advertised address is http://HOST:PORT")
        }
        if let text = environment["RASTRO_PORT"], Int(text).map({ (0...65_535).contains($0) }) != true {
            throw ValidationError("RASTRO_PORT is a number from 0 to 65535")
        }
        if let port, !(0...65_535).contains(port) { throw ValidationError("--port is a number from 0 to 65535") }
        if let text = environment["RASTRO_REQUIRE_IF_MATCH"], text != "true", text != "false" {
            throw ValidationError("RASTRO_REQUIRE_IF_MATCH is true or false")
        }
    }

    var configuration: GatewayConfiguration {
        var configuration = GatewayConfiguration(
            host: host ?? environment["RASTRO_HOST"] ?? "127.0.0.1",
            port: port ?? environment["RASTRO_PORT"].flatMap(Int.init) ?? 8080
        )
        configuration.advertisedAddress =
            advertise ?? environment["RASTRO_ADVERTISE"] ?? Self.address(configuration.host, configuration.port)
        configuration.requireIfMatch = environment["RASTRO_REQUIRE_IF_MATCH"] == "true"
        return configuration
    }

    var allowedWebhookNetworks: [AddressBlock] {
        WebhookPolicy.networks(list: webhookNetworks ?? environment["RASTRO_WEBHOOK_NETWORKS"] ?? "") ?? []
    }

    private static func isAddress(_ text: String) -> Bool {
        guard let url = URLComponents(string: text) else { return false }
        return url.scheme == "http" && url.host?.isEmpty == false && url.port != nil && url.path.isEmpty
    }

    /// Nil when nobody could connect by it.
    private static func address(_ host: String, _ port: Int) -> String? {
        guard port != 0, host != "0.0.0.0", host != "::" else { return nil }
        return "http://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }

    private var environment: [String: String] { ProcessInfo.processInfo.environment }
}
