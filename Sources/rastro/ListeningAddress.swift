import Foundation
import Gateway
import NIOCore
import NIOPosix

/// Where the gateway is going to listen.
struct ListeningAddress: Sendable {
    private let host: String
    private let port: Int

    init(_ configuration: GatewayConfiguration) {
        host = configuration.host
        port = configuration.port
    }

    /// Finds out whether it can be listened on before anything is started: who starts a second server by mistake is told
    /// at once, and the database is left alone.
    func requireFree() async throws {
        guard port != 0 else { return }
        do {
            let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(host: host, port: port).get()
            try await channel.close()
        } catch let error as IOError {
            let reason =
                error.errnoCode == EADDRINUSE ? "the port is in use" : String(cString: strerror(error.errnoCode))
            throw Failure(.unreachable, "cannot listen on \(host):\(port): \(reason)")
        } catch {
            throw Failure(.unreachable, "cannot listen on \(host):\(port): \(error)")
        }
    }
}
