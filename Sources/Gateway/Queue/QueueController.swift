import Catalog
import Delivery
import EventLog
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import SQSProtocol
import ServiceLifecycle

/// The SQS protocol: `POST /`.
struct QueueController: Sendable {
    let log: EventLog
    let directory: QueueDirectory
    let authenticator: SignatureAuthenticator
    let refusals: RefusalLedger
    let forwarder: QueueForwarder
    let rooms: QueueRooms
    let bodies: QueueBodyLimits
    /// Where other gateways reach this one.
    let address: String?

    @Sendable
    func handle(_ request: Request, _ context: RastroRequestContext) async throws -> Response {
        if request.headers[.contentType]?.lowercased().hasPrefix("application/x-www-form-urlencoded") ?? false {
            return QueueAnswer.queryProtocolResponse(context)
        }
        do {
            guard var place = QueuePlace(in: rooms) else { throw SQSError.unavailable("Too many requests wait.") }
            let call = try await admit(request, context)
            return try await perform(call, place: &place)
        } catch {
            let error = SQSError(mapping: error, logger: context.labelledLogger)
            return QueueAnswer.response(error, context)
        }
    }

    /// Who asks, by a key that is known before the body is read; then the body, the proof, the scope, the request.
    private func admit(_ request: Request, _ context: RastroRequestContext) async throws -> QueueCall {
        var signed = SignableRequest(request)
        let (signature, key) = try await authenticator.identify(signed)
        let caller = Caller(userID: key.userID, client: key.client, auth: .key)
        let target = Result { () throws(SQSError) in try SQSOperation(target: request.headers[.amazonTarget]) }
        let body = QueueBody(among: bodies.all)
        var counted = request
        counted.body = body.counting(request.body)
        let exchange = Exchange(request: counted, context: context, caller: caller, via: .post)
        let bytes = try await collect(body, of: exchange, limits: bodies.limits(for: try? target.get()))
        signed.bodyDigest = Digest.sha256(bytes.readableBytesView)
        try authenticator.verify(signature, by: key, for: signed)
        try refusals.check(caller)
        let operation = try target.get()
        if let missing = Self.missingScope(for: operation, of: key) { throw try await deny(exchange, missing) }
        return QueueCall(
            exchange: exchange,
            request: try SQSRequest(operation, body: bytes.readableBytesView),
            key: key,
            region: signature.scope.region,
            body: body
        )
    }

    private func collect(_ body: QueueBody, of exchange: Exchange, limits: BodyLimits) async throws -> ByteBuffer {
        if let length = exchange.request.headers[.contentLength].flatMap({ Int64($0) }), length > Int64(limits.bytes) {
            throw limits.tooLarge
        }
        do {
            let bytes = try await exchange.collect(limits)
            body.keep(bytes)
            return bytes
        } catch {
            guard body.isRefused else { throw error }
            throw SQSError.unavailable("Too many bytes of requests are under way; nothing was done.")
        }
    }

    private static func missingScope(for operation: SQSOperation, of key: APIKey) -> Scope? {
        let sufficient: [Scope] =
            switch operation.right {
            case .consume: [.queueConsume]
            case .send: [.queueSend]
            case .administer: [.queueAdmin]
            case .any: [.queueConsume, .queueSend, .queueAdmin]
            }
        return sufficient.contains(where: key.allows) ? nil : sufficient[0]
    }

    private func deny(_ exchange: Exchange, _ scope: Scope) async throws -> SQSError {
        let denial = Denial(method: exchange.request.method.rawValue, route: "/", scope: scope, path: nil)
        _ = try await refusals.deny(denial, context: exchange.eventContext)
        return .accessDenied("This needs the scope \(scope.rawValue).")
    }

    private func perform(_ call: QueueCall, place: inout QueuePlace) async throws -> Response {
        switch call.request {
        case .sendMessage(let name, let message): try await send(message, to: name, call)
        case .sendMessageBatch(let name, let entries): try await send(entries, to: name, call)
        case .receiveMessage(let receive): try await self.receive(receive, call, place: &place)
        case .deleteMessage(let name, let handle): try await delete(handle, from: name, call)
        case .deleteMessageBatch(let name, let entries): try await delete(entries, from: name, call)
        case .changeMessageVisibility(let name, let change): try await changeVisibility(change, of: name, call)
        case .changeMessageVisibilityBatch(let name, let entries):
            try await changeVisibility(entries, of: name, call)
        case .getQueueAttributes(let name, let names): try await attributes(names, of: name, call)
        default: call.response(try await administer(call))
        }
    }
}

// MARK: - Whoever owns the queue

extension QueueController {
    /// How long a request follows a queue whose owner changes.
    private static let patience: Duration = .seconds(8)
    private static let pause: Duration = .milliseconds(50)

    func find(_ name: QueueName) async throws -> QueueDescription { try await directory.find(name.text) }

    /// Has a queue's owner do what is asked, here or in another process.
    ///
    /// - Parameter wait: how long the owner may take over it.
    func atOwner(
        of queue: QueueDescription,
        _ call: QueueCall,
        wait: Duration = .zero,
        _ body: (QueueEndpoint) async throws -> SQSAnswer
    ) async throws -> Response {
        let end = ContinuousClock.now + wait
        var isOurs = false
        repeat {
            switch try await directory.route(to: queue) {
            case .here(let endpoint):
                do {
                    return call.response(try await body(endpoint))
                } catch let error as QueueError {
                    // Somebody else took it over, or it is given up or deleted: nothing was done, look again.
                    guard error == .notOwner || (error == .shuttingDown && !Task.isShuttingDownGracefully) else {
                        throw error
                    }
                }
            case .at(let owner):
                guard !call.isForwarded else { return notOwner(call) }
                isOurs = owner == address
                // It is this server's own: the owner was here before, and its lease runs out.
                if !isOurs, let response = try await forwarder.forward(call, to: owner, wait: max(.zero, end - .now)) {
                    return response
                }
            case .nobody: throw QueueError.unavailable
            }
            try await Task.sleep(for: Self.pause)
            try await directory.forgetOwner(of: queue)
        } while ContinuousClock.now < end + Self.patience
        if isOurs { warnOfAddress(call, queue) }
        throw QueueError.unavailable
    }

    private func warnOfAddress(_ call: QueueCall, _ queue: QueueDescription) {
        call.exchange.context.labelledLogger.warning(
            "a queue's owner advertises this server's own address: each needs one at which the others reach it",
            metadata: ["queue": "\(queue.name)", "address": "\(address ?? "")"]
        )
    }

    private func notOwner(_ call: QueueCall) -> Response {
        var response = QueueAnswer.response(.unavailable("The queue has another owner."), call.exchange.context)
        response.headers[.notOwner] = "true"
        return response
    }
}
