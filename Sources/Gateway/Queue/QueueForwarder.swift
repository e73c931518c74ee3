import AsyncHTTPClient
import Glibc
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import SQSProtocol
import ServiceLifecycle
import Synchronization

/// Sends requests on to the gateway of the process that owns the queue: as they were signed, with a mark, so that they
/// are sent on once at most.
///
/// Run it as a service: it closes its connections at the end.
package final class QueueForwarder: Service {
    private let client = Mutex<HTTPClient?>(nil)
    /// As many requests as may be under way to one gateway; more of them wait.
    private static let connectionLimit = 2_000
    private static let connectLimit: TimeAmount = .seconds(2)
    /// How long an owner may take beyond the time that a receive waits.
    private static let patience: Duration = .seconds(15)
    /// As many messages as one receive gives, each as long as may be and of characters that JSON escapes, with what
    /// stands around them: an answer that did not fit would be lost, and its messages with it.
    private static let answerLimitBytes = SQSRequest.batchLimit * (2 * MessageText.limitBytes + 64 << 10)
    /// What belongs to one connection.
    private static let hopNames: Set<String> = [
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding",
        "upgrade", "expect", "content-length", "host",
    ]
    /// What of an answer is handed on.
    private static let answerNames: [HTTPField.Name] = [
        .contentType, .amazonRequestID, .amazonQueryError, .retryAfter, .eventPosition,
    ]

    package init() {}

    /// The owner's answer; nil when it cannot be reached or says that it is not the owner: nothing was done.
    ///
    /// - Throws: `SQSError.unavailable` when there is no answer: it may have been done.
    func forward(_ call: QueueCall, to address: String, wait: Duration) async throws -> Response? {
        let request = call.exchange.request
        guard let body = call.body.bytes else {
            throw SQSError.unavailable("The queue has another owner by now; nothing was done.")
        }
        var forwarded = HTTPClientRequest(url: address + (request.head.path ?? "/"))
        forwarded.method = .POST
        for field in request.headers where !Self.hopNames.contains(field.name.canonicalName) {
            forwarded.headers.add(name: field.name.rawName, value: field.value)
        }
        forwarded.headers.replaceOrAdd(name: "Host", value: request.head.authority ?? "")
        // One that the client sent may be signed: it stays as it is.
        if request.headers[.requestID] == nil {
            let name = HTTPField.Name.requestID.rawName
            forwarded.headers.add(name: name, value: "\(call.exchange.context.requestID)")
        }
        forwarded.headers.add(name: HTTPField.Name.forwarded.rawName, value: "1")
        if wait > .zero {
            let milliseconds = wait.components.seconds * 1_000 + wait.components.attoseconds / 1_000_000_000_000_000
            forwarded.headers.replaceOrAdd(name: HTTPField.Name.waitLimit.rawName, value: "\(milliseconds)")
        }
        forwarded.body = .bytes(body)
        do {
            let answer = try await connected().execute(forwarded, timeout: TimeAmount(wait + Self.patience))
            let answered = try await answer.body.collect(upTo: Self.answerLimitBytes)
            if answer.headers.contains(name: HTTPField.Name.notOwner.rawName) { return nil }
            var headers: HTTPFields = [:]
            for name in Self.answerNames {
                if let value = answer.headers.first(name: name.rawName) { headers[name] = value }
            }
            return Response(
                status: HTTPResponse.Status(code: Int(answer.status.code)),
                headers: headers,
                body: ResponseBody(byteBuffer: answered)
            )
        } catch {
            if Self.isUnsent(error) { return nil }
            call.exchange.context.labelledLogger.warning(
                "a queue's owner gave no answer",
                metadata: ["address": "\(address)", "error": "\(error)"]
            )
            throw SQSError.unavailable("The queue's owner gave no answer; it may have been done.")
        }
    }

    /// Whether there was no connection, so that nothing was sent.
    private static func isUnsent(_ error: any Error) -> Bool {
        switch error {
        case let error as HTTPClientError: error == .connectTimeout
        case is NIOConnectionError: true
        case let error as IOError: [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH].contains(error.errnoCode)
        default: false
        }
    }

    package func run() async throws {
        try? await gracefulShutdown()
        let client = client.withLock { client in
            defer { client = nil }
            return client
        }
        try await client?.shutdown()
    }

    private func connected() -> HTTPClient {
        client.withLock { client in
            if let client { return client }
            var configuration = HTTPClient.Configuration(
                redirectConfiguration: .disallow,
                timeout: HTTPClient.Configuration.Timeout(connect: Self.connectLimit),
                decompression: .disabled
            )
            configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.connectionLimit
            configuration.connectionPool.retryConnectionEstablishment = false
            let made = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            client = made
            return made
        }
    }
}
