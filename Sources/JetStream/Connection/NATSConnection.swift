import NIOCore
import NIOPosix
import NIOSSL

/// One connection to a NATS server; it does not come back by itself.
///
/// A request that ends with `timeout` or `connectionLost` may have taken effect. When a task is cancelled that waits for an
/// answer, the connection is closed: an answer that is thrown away leaves a message's fate unknown.
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

    /// Connects to the first of the servers that answers. They are tried in order, the next one as soon as those before it
    /// have failed or had their head start.
    /// - Throws: the last server's reason, when none does; `cancelled` soon after the task was.
    package static func open(_ configuration: NATSConfiguration) async throws(NATSError) -> NATSConnection {
        guard 1...NATSConfiguration.serversLimit ~= configuration.servers.count else {
            throw NATSError(.invalidConfiguration, "one to \(NATSConfiguration.serversLimit) servers are needed")
        }
        try configuration.credentials.check()
        let tls = try tlsContext(configuration)
        let outcome = await withTaskGroup(of: Opening.self) { group in
            var outcome = Result<NATSConnection, NATSError>.failure(NATSError(.connectFailed))
            var (started, underWay, isDone) = (0, 0, false)
            func startNext() {
                guard !isDone, started < configuration.servers.count else { return }
                let (address, number) = (configuration.servers[started], started + 1)
                (started, underWay) = (number, underWay + 1)
                group.addTask { .ended(await connect(address, configuration, tls)) }
                group.addTask {
                    try? await Task.sleep(for: configuration.headStart)
                    return .hadItsTime(number)
                }
            }
            startNext()
            while let arrival = await group.next() {
                switch arrival {
                case .hadItsTime(let number): if number == started, !Task.isCancelled { startNext() }
                case .ended(.failure(let error)):
                    underWay -= 1
                    if !isDone { outcome = .failure(error) }
                    if !Task.isCancelled { startNext() }
                case .ended(.success(let connection)):
                    underWay -= 1
                    if isDone { await connection.close() } else { outcome = .success(connection) }
                    isDone = true
                }
                if isDone || underWay == 0 { group.cancelAll() }
            }
            return outcome
        }
        return try outcome.get()
    }

    private enum Opening: Sendable {
        case ended(Result<NATSConnection, NATSError>)
        /// Nobody before that one has answered in its head start.
        case hadItsTime(Int)
    }

    private static func tlsContext(_ configuration: NATSConfiguration) throws(NATSError) -> NIOSSLContext {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        // A server that is silent does not answer a farewell either.
        tls.shutdownTimeout = .milliseconds(500)
        if let file = configuration.trustedCertificates { tls.trustRoots = .file(file) }
        do { return try NIOSSLContext(configuration: tls) } catch {
            throw NATSError(.invalidConfiguration, "the trusted certificates cannot be read: \(error)")
        }
    }

    private static func connect(
        _ address: NATSAddress,
        _ configuration: NATSConfiguration,
        _ tls: NIOSSLContext
    ) async -> Result<NATSConnection, NATSError> {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        // Whoever fails it first ends the attempt, and closes whatever was opened for it.
        let ready = loop.makePromise(of: NATSConnection.self)
        do {
            return try await withTaskCancellationHandler {
                ClientBootstrap(group: loop)
                    .connectTimeout(TimeAmount(configuration.connectTimeout))
                    .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                    .channelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            // A name can have several addresses, and each its channel.
                            let opened = loop.makePromise(of: Void.self)
                            let handler = ConnectionHandler(
                                address: address,
                                configuration: configuration,
                                tls: tls,
                                opened: opened
                            )
                            do { try channel.pipeline.syncOperations.addHandler(handler) } catch {
                                opened.fail(error)
                                throw error
                            }
                            ready.futureResult.whenFailure { _ in channel.close(promise: nil) }
                        }
                    }
                    .connect(host: address.host, port: address.port)
                    .flatMap { connection($0, address, configuration) }
                    .cascade(to: ready)
                return .success(try await ready.futureResult.get())
            } onCancel: {
                ready.fail(NATSError(.cancelled))
            }
        } catch {
            return .failure(error as? NATSError ?? NATSError(.connectFailed, "\(address): \(error)"))
        }
    }

    /// What has become of a channel's conversation; on its event loop.
    private static func connection(
        _ channel: any Channel,
        _ address: NATSAddress,
        _ configuration: NATSConfiguration
    ) -> EventLoopFuture<NATSConnection> {
        let loop = channel.eventLoop
        do {
            let handler = try channel.pipeline.syncOperations.handler(type: ConnectionHandler.self)
            let bound = NIOLoopBound(handler, eventLoop: loop)
            return handler.opened.futureResult.flatMapThrowing {
                guard let info = bound.value.info else { throw NATSError(.connectFailed) }
                return NATSConnection(
                    address: address,
                    info: info,
                    channel: channel,
                    handler: bound,
                    requestTimeout: TimeAmount(configuration.requestTimeout)
                )
            }
        } catch { return loop.makeFailedFuture(error) }
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
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
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
        } onCancel: {
            channel.eventLoop.execute { self.handler.value.close() }
        }
    }

    /// Closes the connection; what is in flight ends with `connectionLost`.
    package func close() async {
        channel.eventLoop.execute { self.handler.value.close() }
        try? await channel.closeFuture.get()
    }

    package var isOpen: Bool { channel.isActive }
}
