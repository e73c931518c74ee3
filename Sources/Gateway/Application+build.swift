package import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore

/// Builds the service that listens. On graceful shutdown it takes no new connections, answers what is in flight, and
/// returns.
///
/// - Parameter onListening: told host and port once connections are accepted.
package func buildApplication(
    _ services: GatewayServices,
    configuration: GatewayConfiguration,
    onListening: @escaping @Sendable (_ host: String, _ port: Int) async -> Void = { _, _ in },
    logger: Logger
) -> Application<RouterResponder<RastroRequestContext>> {
    let timeout = TimeAmount(configuration.requestTimeout)
    let http = HTTP1Channel.Configuration(
        additionalChannelHandlers: [SlowReaderHandler(patience: timeout)],
        idleTimeout: timeout,
        // Beyond the documented limit, so that what exceeds that one still gets a proper answer.
        httpDecoderConfiguration: HTTP1Channel.Configuration.DecoderConfiguration(
            maxHeaderFieldSize: 4 * configuration.headerLimitBytes,
            maxHeaderListSize: 4 * configuration.headerLimitBytes,
            maxHeaderFieldCount: 256
        )
    )
    let host = configuration.host
    var logger = logger
    logger.handler = RequestLogHandler(target: logger.handler)
    return Application(
        router: buildRouter(services, configuration: configuration),
        server: HTTPServerBuilder { GatewayChannel(http: HTTP1Channel(responder: $0, configuration: http)) },
        configuration: ApplicationConfiguration(
            address: .hostname(host, port: configuration.port),
            serverName: nil,
            backlog: 1_024,
            availableConnectionsDelegate: .maximum(configuration.connectionLimit, logger: logger)
        ),
        services: [services.refusals, services.scrape, services.queueForwarder],
        onServerRunning: { channel in
            await onListening(host, channel.localAddress?.port ?? configuration.port)
        },
        logger: logger
    )
}
