import ArgumentParser
import Foundation
import Gateway

/// How the gateway listens.
struct GatewayOptions: ParsableArguments {
    @Option(help: "Address to listen on (or RASTRO_HOST; default 127.0.0.1).")
    var host: String?

    @Option(help: "Port to listen on, 0 picks a free one (or RASTRO_PORT; default 8080).")
    var port: Int?

    func validate() throws {
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
        configuration.requireIfMatch = environment["RASTRO_REQUIRE_IF_MATCH"] == "true"
        return configuration
    }

    private var environment: [String: String] { ProcessInfo.processInfo.environment }
}
