import NIOCore
import NIOPosix
import NIOSSL

/// One connection to a NATS server; it does not come back by itself.
///
/// A request that ends with `timeout` or `connectionLost` may have taken effect. A cancelled task goes on waiting: every
/// wait has its limit, and an answer that is thrown away leaves a message's fate unknown.
package final class NATSConnection: Sendable {
    package let address: NATSAddress
    package let info: ServerInfo
    private let channel: any Channel
    private let handler: NIOLoopBound<ConnectionHandler>
    private let requestTimeout: TimeAmount

    private init(
        address: NATSAddress,
        info: ServerInfo,
        channel: any Channel,
        handler: NIOLoopBound<ConnectionHandler>,
        requestTimeout: TimeAmount
    ) {
        self.address = address
        self.info = info
        self.channel = channel
        self.handler = handler
        self.requestTimeout = requestTimeout
    }

    /// Connects to the first of the servers that answers.
    /// - Throws: the last server's reason, when none does.
    package static func open(_ configuration: NATSConfiguration) async throws(NATSError) -> NATSConnection {
        guard 1...NATSConfiguration.serversLimit ~= configuration.servers.count else {
            throw NATSError(.invalidConfiguration, "one to \(NATSConfiguration.serversLimit) servers are needed")
        }
        try configuration.credentials.check()
        let tls = try tlsContext(configuration)
        var last = NATSError(.connectFailed)
        for address in configuration.servers {
            do { return try await open(address, configuration, tls) } catch { last = error }
        }
        throw last
    }

    private static func tlsContext(_ configuration: NATSConfiguration) throws(NATSError) -> NIOSSLContext {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if let file = configuration.trustedCertificates { tls.trustRoots = .file(file) }
        do { return try NIOSSLContext(configuration: tls) } catch {
            throw NATSError(.invalidConfiguration, "the trusted certificates cannot be read: \(error)")
        }
    }

    private static func open(
        _ address: NATSAddress,
        _ configuration: NATSConfiguration,
        _ tls: NIOSSLContext
    ) async throws(NATSError) -> NATSConnection {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let opened = loop.makePromise(of: Void.self)
        do {
            let channel = try await ClientBootstrap(group: loop)
                .connectTimeout(TimeAmount(configuration.connectTimeout))
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let handler = ConnectionHandler(
                            address: address,
                            configuration: configuration,
                            tls: tls,
                            opened: opened
                        )
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                }
                .connect(host: address.host, port: address.port).get()
            try await opened.futureResult.get()
            return try await loop.submit {
                let handler = try channel.pipeline.syncOperations.handler(type: ConnectionHandler.self)
                guard let info = handler.info else { throw NATSError(.connectFailed) }
                return NATSConnection(
                    address: address,
                    info: info,
                    channel: channel,
                    handler: NIOLoopBound(handler, eventLoop: loop),
                    requestTimeout: TimeAmount(configuration.requestTimeout)
                )
            }.get()
        } catch {
            opened.fail(error)
            throw error as? NATSError ?? NATSError(.connectFailed, "\(address): \(error)")
        }
    }

    /// Publishes a message and waits for the answer to it.
    package func request(_ message: OutgoingMessage) async throws(NATSError) -> NATSMessage {
        guard let answer = await exchange([message]).first else { throw NATSError(.notSent) }
        return try answer.get()
    }

    /// Publishes messages in order, many in flight at once, and waits for an answer to each.
    ///
    /// - Parameter isFailure: judges an answer. After the first failure no further message is sent: those have `notSent`.
    /// - Returns: An answer each, in order.
    package func exchange(
        _ messages: [OutgoingMessage],
        isFailure: @escaping @Sendable (NATSMessage) -> Bool = { _ in false }
    ) async -> [Result<NATSMessage, NATSError>] {
        guard !messages.isEmpty else { return [] }
        return await withCheckedContinuation { continuation in
            channel.eventLoop.execute { [self] in
                let batch = ExchangeBatch(count: messages.count, isFailure: isFailure) {
                    continuation.resume(returning: $0)
                }
                for (index, message) in messages.enumerated() {
                    let request = ConnectionHandler.Request(
                        message: message,
                        isWanted: { !batch.hasFailed },
                        complete: { batch.complete(index, $0) }
                    )
                    handler.value.submit(request, timeout: requestTimeout)
                }
                handler.value.pump()
            }
        }
    }

    /// Closes the connection; what is in flight ends with `connectionLost`.
    package func close() async {
        channel.eventLoop.execute { self.handler.value.close() }
        try? await channel.closeFuture.get()
    }

    package var isOpen: Bool { channel.isActive }
}
