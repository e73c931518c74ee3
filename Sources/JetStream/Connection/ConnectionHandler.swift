import Catalog
import NIOCore
import NIOSSL

/// One connection's conversation, on its event loop.
///
///     waiting for INFO ──(TLS), CONNECT, SUB, PING──► waiting for PONG ──► ready ──► closed
///
/// All answers come to one subscription, an inbox under a random name.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// A message to be published, and what becomes of its answer.
    struct Request {
        let message: OutgoingMessage
        /// Asked just before it is sent.
        let isWanted: () -> Bool
        let complete: (Result<NATSMessage, NATSError>) -> Void
    }

    private enum State {
        case waitingForInfo, waitingForPong, ready, closed
    }

    private static let subscription = "1"
    /// How exactly time limits are kept.
    private static let timeGrain = TimeAmount.milliseconds(50)
    private static let unansweredPingsLimit = 2

    private let address: NATSAddress
    private let configuration: NATSConfiguration
    private let tls: NIOSSLContext
    let opened: EventLoopPromise<Void>
    /// Every answer's subject is this and its request's token.
    private let inbox: String

    private var state = State.waitingForInfo
    private var parser = ProtocolParser()
    private var exchanges: Exchanges<Request>
    private var context: ChannelHandlerContext?
    private(set) var info: ServerInfo?
    private var openingLimit: Scheduled<Void>?
    private var keepAlive: RepeatedTask?
    private var isWatchingTime = false
    private var unansweredPings = 0
    private var ending: NATSError?

    init(
        address: NATSAddress,
        configuration: NATSConfiguration,
        tls: NIOSSLContext,
        opened: EventLoopPromise<Void>
    ) {
        self.address = address
        self.configuration = configuration
        self.tls = tls
        self.opened = opened
        exchanges = Exchanges(limits: configuration.limits)
        inbox = "_INBOX." + Base32.encode((0..<15).map { _ in UInt8.random(in: 0 ... .max) }) + "."
    }

    // MARK: - Requests

    /// Sends a message and waits for its answer; exactly one completion, on the event loop.
    func submit(_ request: Request, timeout: TimeAmount) {
        guard state == .ready, let info, let context else {
            return request.complete(.failure(ending ?? NATSError(.connectionLost, "closed")))
        }
        do { try request.message.check(payloadLimitBytes: info.payloadLimitBytes) } catch {
            return request.complete(.failure(error))
        }
        let deadline = NIODeadline.now() + timeout
        guard exchanges.enqueue(request, bytes: request.message.sizeBytes, deadline: deadline) else {
            return request.complete(.failure(NATSError(.overloaded)))
        }
        watchTime(context)
    }

    /// Sends what may be sent now. Nothing is added while the socket takes nothing.
    func pump() {
        guard state == .ready, let context else { return }
        var buffer = context.channel.allocator.buffer(capacity: 0)
        while context.channel.isWritable, buffer.readableBytes < 64 * 1024, let (token, request) = exchanges.next() {
            if request.isWanted() {
                ClientOperation.publish(request.message, reply: "\(inbox)\(token)").write(into: &buffer)
            } else {
                _ = exchanges.answered(token)
                request.complete(.failure(NATSError(.notSent)))
            }
        }
        guard buffer.readableBytes > 0 else { return }
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        if context.channel.isWritable {
            let loopBound = NIOLoopBound(self, eventLoop: context.eventLoop)
            context.eventLoop.execute { loopBound.value.pump() }
        }
    }

    func close() {
        guard let context else { return }
        fail(NATSError(.connectionLost, "closed here"), context)
    }

    private func watchTime(_ context: ChannelHandlerContext) {
        guard !isWatchingTime, !exchanges.isEmpty else { return }
        isWatchingTime = true
        let loopBound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: Self.timeGrain) { loopBound.value.timePassed() }
    }

    private func timePassed() {
        isWatchingTime = false
        for request in exchanges.expired(now: .now()) { request.complete(.failure(NATSError(.timeout))) }
        guard let context else { return }
        pump()
        watchTime(context)
    }

    // MARK: - The channel

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        openingLimit = context.eventLoop.scheduleTask(in: TimeAmount(configuration.connectTimeout)) {
            let (handler, context) = loopBound.value
            handler.fail(NATSError(.timeout, "no greeting from \(handler.address)"), context)
        }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard state != .closed else { return }
        parser.append(unwrapInboundIn(data))
        do {
            while state != .closed, let operation = try parser.next() { try take(operation, context) }
            pump()
        } catch {
            fail(error as? NATSError ?? NATSError(.connectFailed, "\(error)"), context)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        pump()
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(NATSError(.connectionLost, "\(address) closed the connection"), context)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let code: NATSError.Code = state == .ready ? .connectionLost : .connectFailed
        fail(NATSError(code, "\(address): \(error)"), context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        fail(NATSError(.connectionLost, "\(address) closed the connection"), context)
    }

    // MARK: - What the server says

    private func take(_ operation: ServerOperation, _ context: ChannelHandlerContext) throws {
        switch operation {
        case .info(let json):
            // A ready connection is told of changes in the cluster: nothing to do.
            if state == .waitingForInfo { try greet(try ServerInfo(json: json), context) }
        case .ping: write([.pong], context)
        case .pong:
            unansweredPings = 0
            if state == .waitingForPong { becomeReady(context) }
        case .acknowledged: break
        case .error(let text): refused(text, context)
        case .message(let message): answer(message)
        }
    }

    private func greet(_ info: ServerInfo, _ context: ChannelHandlerContext) throws {
        self.info = info
        guard info.hasHeaders else { throw NATSError(.connectFailed, "\(address) knows no headers") }
        let usesTLS = info.requiresTLS || address.requiresTLS
        if usesTLS {
            guard info.requiresTLS || info.offersTLS else { throw NATSError(.connectFailed, "\(address) has no TLS") }
            // What somebody on the way had put behind it would be read as if it had come through TLS.
            guard parser.isEmpty else {
                throw NATSError(.protocolViolation, "\(address) sent more than its greeting before TLS")
            }
            // TLS starts here, on what is sent and received from now on.
            let name = Self.isIPAddress(address.host) ? nil : address.host
            let handler = try NIOSSLClientHandler(context: tls, serverHostname: name)
            try context.pipeline.syncOperations.addHandler(handler, position: .first)
        }
        state = .waitingForPong
        let hello = try greeting(info, usesTLS: usesTLS)
        write([.connect(hello), .subscribe(subject: inbox + "*", subscription: Self.subscription), .ping], context)
    }

    private func greeting(_ info: ServerInfo, usesTLS: Bool) throws -> [UInt8] {
        var members = [
            JSONMember(key: "verbose", value: .bool(false)),
            JSONMember(key: "pedantic", value: .bool(false)),
            JSONMember(key: "tls_required", value: .bool(usesTLS)),
            JSONMember(key: "name", value: .string(configuration.name)),
            JSONMember(key: "lang", value: .string("swift")),
            JSONMember(key: "version", value: .string("1.0.0")),
            JSONMember(key: "protocol", value: .number("1")),
            JSONMember(key: "echo", value: .bool(false)),
            JSONMember(key: "headers", value: .bool(true)),
            JSONMember(key: "no_responders", value: .bool(true)),
        ]
        members += try configuration.credentials.members(nonce: info.nonce)
        var writer = JSONWriter()
        writer.value(.object(members))
        return writer.bytes
    }

    private func becomeReady(_ context: ChannelHandlerContext) {
        state = .ready
        openingLimit?.cancel()
        let interval = TimeAmount(configuration.pingInterval)
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        keepAlive = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            let (handler, context) = loopBound.value
            handler.checkLife(context)
        }
        opened.succeed()
    }

    private func checkLife(_ context: ChannelHandlerContext) {
        guard unansweredPings < Self.unansweredPingsLimit else {
            return fail(NATSError(.connectionLost, "\(address) does not answer"), context)
        }
        unansweredPings += 1
        write([.ping], context)
    }

    private func refused(_ text: String, _ context: ChannelHandlerContext) {
        let lower = text.lowercased()
        if lower.hasPrefix("permissions violation") {
            // The server does not say which message it meant; the connection goes on.
            let error = NATSError(.permissionDenied, text)
            for request in exchanges.drainInFlight() { request.complete(.failure(error)) }
            if state == .waitingForPong { fail(error, context) }
        } else {
            let isAuthentication = lower.contains("authorization") || lower.contains("authentication")
            let code: NATSError.Code = isAuthentication ? .authenticationFailed : .connectionLost
            fail(NATSError(code, "\(address) said: \(text)"), context)
        }
    }

    private func answer(_ message: NATSMessage) {
        guard message.subscription == Self.subscription, message.subject.hasPrefix(inbox),
            let token = UInt64(message.subject.dropFirst(inbox.count)), let request = exchanges.answered(token)
        else { return }
        if message.headers.status == 503, message.payload.readableBytes == 0 {
            request.complete(.failure(NATSError(.noResponders, "nobody takes \(request.message.subject)")))
        } else {
            request.complete(.success(message))
        }
    }

    private func write(_ operations: [ClientOperation], _ context: ChannelHandlerContext) {
        var buffer = context.channel.allocator.buffer(capacity: 256)
        for operation in operations { operation.write(into: &buffer) }
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    /// Ends the connection and everything that waits for it; the first reason stands.
    private func fail(_ error: NATSError, _ context: ChannelHandlerContext) {
        guard state != .closed else { return }
        state = .closed
        ending = error
        self.context = nil
        openingLimit?.cancel()
        keepAlive?.cancel()
        opened.fail(error)
        for request in exchanges.drain() { request.complete(.failure(error)) }
        context.close(promise: nil)
    }

    private static func isIPAddress(_ host: String) -> Bool { (try? SocketAddress(ipAddress: host, port: 0)) != nil }
}
