import AsyncHTTPClient
import Catalog
import EventLog
import Foundation
import NIOCore
import NIOHTTP1
import Synchronization

/// Somebody's HTTP endpoint: each event is a POST of its own, signed as Standard Webhooks says. A product's next event
/// goes only after its last one was answered with 2xx.
final class WebhookDestination: Destination {
    private let configuration: WebhookConfiguration
    private let secret: ServerSecret
    private let client: WebhookClient
    private let strain = Mutex(WebhookStrain())
    /// What an endpoint may answer; nobody looks at it, but the connection goes on only behind it.
    private static let answerLimit = 1 << 16
    private static let bodyTime: Duration = .seconds(2)

    let batchLimit = 1
    let batchGroupLimit = 1
    let batchBytes = 1 << 20
    var concurrency: Int { configuration.concurrency }
    let backoff = RelayBackoff.days
    let patience: Duration? = .seconds(5 * 86_400)

    init(
        _ configuration: WebhookConfiguration,
        policy: WebhookPolicy,
        resolver: HostResolver = HostResolver()
    ) throws(DestinationError) {
        if let fault = configuration.fault { throw DestinationError(fault) }
        guard let url = URLComponents(string: configuration.url) else { throw DestinationError("the URL is none") }
        guard let secret = policy.secret else {
            throw DestinationError("this server has no server secret (RASTRO_SECRET_FILE): it can sign nothing")
        }
        guard configuration.secrets.first?.isOf(secret) == true else {
            throw DestinationError("this server's secret is not the one that the webhook was made with")
        }
        self.configuration = configuration
        self.secret = secret
        // Well before a request's deadline: a host that is silent is not an answer that is late.
        let patience = TimeAmount.milliseconds(Int64(min(5_000, configuration.timeoutSeconds * 500)))
        client = WebhookClient(url: url, policy: policy, resolver: resolver, connecting: patience)
    }

    /// An endpoint cannot tell what it holds.
    func open() async throws(DestinationError) -> Int64? { nil }

    func close() async { await client.close() }

    func send(_ messages: [OutgoingEvent], _ permit: SendPermit) async -> [SendOutcome] {
        var outcomes: [SendOutcome] = []
        for message in messages {
            guard permit.isGiven() else {
                outcomes.append(SendPermit.ended)
                continue
            }
            let outcome = await post(message, permit)
            outcomes.append(strain.withLock { $0.judge(outcome, of: message.groupID) })
        }
        return outcomes
    }

    private func post(_ message: OutgoingEvent, _ permit: SendPermit) async -> SendOutcome {
        let client: HTTPClient
        do throws(DestinationError) { client = try await self.client.client() } catch {
            return WebhookAnswer.unreachable(error.description).outcome
        }
        // To look a host up may have taken longer than a lease lasts.
        guard permit.isGiven() else { return SendPermit.ended }
        return await post(message, by: client).outcome
    }

    private func post(_ message: OutgoingEvent, by client: HTTPClient) async -> WebhookAnswer {
        do {
            let timeout = TimeAmount.seconds(Int64(configuration.timeoutSeconds))
            let response = try await client.execute(request(message), deadline: .now() + timeout)
            _ = try? await response.collect(upTo: Self.answerLimit, within: Self.bodyTime)
            let retryAfter = response.headers.first(name: "retry-after").flatMap { Int64($0) }
            return .status(Int(response.status.code), retryAfter: retryAfter.map { max(0, $0) })
        } catch let error as HTTPClientError where error == .deadlineExceeded {
            return .late
        } catch {
            self.client.forget()
            return Self.hadConnection(error) ? .broken(Self.reason(error)) : .unreachable(Self.reason(error))
        }
    }

    private func request(_ message: OutgoingEvent) -> HTTPClientRequest {
        let now = Timestamp.now()
        let seconds = now.microseconds / 1_000_000
        let keys = configuration.secrets.filter { $0.until.map { $0 > now } ?? true }.map { secret.webhookKey($0.id) }
        var request = HTTPClientRequest(url: configuration.url)
        request.method = .POST
        request.headers = [
            "content-type": "application/cloudevents+json",
            "user-agent": "Rastro",
            "webhook-id": message.messageID,
            "webhook-timestamp": String(seconds),
            "webhook-signature": WebhookSignature.text(
                id: message.messageID,
                seconds: seconds,
                body: message.body,
                keys: keys
            ),
        ]
        request.body = .bytes(ByteBuffer(bytes: message.body))
        return request
    }

    /// Whether the endpoint may have had the message: then it is the message's attempt that failed.
    private static func hadConnection(_ error: any Error) -> Bool {
        switch error {
        case let error as HTTPClientError: error == .remoteConnectionClosed || error == .readTimeout
        case let error as IOError: error.errnoCode == ECONNRESET || error.errnoCode == EPIPE
        case is HTTPParserError: true
        default: false
        }
    }

    /// Without addresses, headers and what the endpoint said.
    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError where error == .connectTimeout: "no connection in time"
        case let error as HTTPClientError: "the connection failed (\(error))"
        case is CancellationError: "cancelled"
        default: "the connection failed (\(type(of: error)))"
        }
    }
}
