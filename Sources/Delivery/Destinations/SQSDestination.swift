import AsyncHTTPClient
import Catalog
import EventLog
import Foundation
import NIOCore
import NIOHTTP1
import SQSProtocol

/// AWS SQS, FIFO and standard queues.
///
/// A FIFO queue gets MessageGroupId = product id (or `log`) and MessageDeduplicationId = position, so that what is sent
/// twice within five minutes is taken once. In one request stand messages of different products only (see
/// `SQSConfiguration.groupBatch`): SQS may take a part of a request, and a later event must not go before an earlier one.
struct SQSDestination: Destination {
    private let configuration: SQSConfiguration
    private let profile: AWSProfile
    private let endpoint: URLComponents
    private let host: String
    private let region: String
    private let client: HTTPClient
    /// How long one request may take, connecting included.
    private let timeout: TimeAmount
    private static let answerLimit = 1 << 20
    private static let bodyTime: Duration = .seconds(5)
    /// SQS's own limits.
    private static let entryLimit = 10
    private static let byteLimit = 1_048_576

    init(
        _ configuration: SQSConfiguration,
        profile: AWSProfile? = nil,
        timeout: Duration = .seconds(10)
    ) throws(DestinationError) {
        if let fault = configuration.fault { throw DestinationError(fault) }
        let profile = profile ?? AWSProfile(name: configuration.profile)
        let address = configuration.endpointURL ?? profile.endpoint ?? configuration.queueURL
        guard let endpoint = SQSConfiguration.address(address), let host = endpoint.host else {
            throw DestinationError("the endpoint is no http or https URL without credentials")
        }
        guard let region = configuration.region ?? configuration.regionOfHost ?? profile.region else {
            throw DestinationError("no region: name one with the destination, in AWS_REGION or in ~/.aws/config")
        }
        self.configuration = configuration
        self.profile = profile
        self.endpoint = endpoint
        self.region = region
        self.timeout = .milliseconds(timeout.microseconds / 1_000)
        self.host = endpoint.port.map { "\(host):\($0)" } ?? host
        var settings = HTTPClient.Configuration()
        settings.redirectConfiguration = .disallow
        settings.timeout = HTTPClient.Configuration.Timeout(connect: .seconds(3))
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
    }

    var batchLimit: Int { Self.entryLimit }
    var batchGroupLimit: Int { configuration.isFIFO ? configuration.groupBatch : Self.entryLimit }
    var batchBytes: Int { Self.byteLimit }

    /// SQS cannot tell what it holds.
    func open() async throws(DestinationError) -> Int64? { nil }

    func close() async { try? await client.shutdown() }

    func send(_ messages: [OutgoingEvent], _ permit: SendPermit) async -> [SendOutcome] {
        guard let key = profile.credentials() else {
            let reason = "no credentials for AWS: neither in the environment nor in the profile \(profile.profile)"
            return messages.map { _ in .unavailable(reason) }
        }
        let sendable = messages.indices.filter { messages[$0].body.count <= Self.byteLimit }
        var outcomes = [SendOutcome](repeating: .refused("larger than SQS takes"), count: messages.count)
        guard !sendable.isEmpty else { return outcomes }
        let batch = sendable.map { messages[$0] }
        let answer = await request(batch, key: key)
        let judged = SQSOutcomes.judge(answer, batch)
        if judged.mustSplit, batch.count > 1 {
            // Something in it offends; one by one it shows which. Messages of one product stop at the first.
            var stopped: Set<String> = []
            for (index, message) in zip(sendable, batch) {
                guard permit.isGiven() else {
                    outcomes[index] = SendPermit.ended
                    continue
                }
                guard !stopped.contains(message.groupID) else {
                    outcomes[index] = .retry("an earlier event of its product was not taken")
                    continue
                }
                outcomes[index] = SQSOutcomes.judge(await request([message], key: key), [message]).outcomes[0]
                if outcomes[index] != .accepted { stopped.insert(message.groupID) }
            }
        } else {
            for (index, outcome) in zip(sendable, judged.outcomes) { outcomes[index] = outcome }
        }
        return outcomes
    }

    private func request(_ messages: [OutgoingEvent], key: AccessKey) async -> SQSOutcomes.Answer {
        let body = SQSOutcomes.requestBody(messages, configuration)
        var signable = SignableRequest(
            method: "POST",
            path: "/",
            fields: [
                SignableRequest.Field("host", host),
                SignableRequest.Field("content-type", "application/x-amz-json-1.0"),
                SignableRequest.Field("x-amz-target", "AmazonSQS.SendMessageBatch"),
                SignableRequest.Field("x-amzn-query-mode", "true"),
            ],
            body: body
        )
        RequestSigner(key, region: region).sign(&signable, at: .now())
        var request = HTTPClientRequest(url: "\(endpoint.scheme ?? "https")://\(host)/")
        request.method = .POST
        for field in signable.fields { request.headers.add(name: field.name, value: field.value) }
        request.body = .bytes(ByteBuffer(bytes: body))
        do {
            let response = try await client.execute(request, deadline: .now() + timeout)
            let answer = try await response.collect(upTo: Self.answerLimit, within: Self.bodyTime)
            return .answer(status: Int(response.status.code), body: Array(answer.readableBytesView))
        } catch {
            return .none(Self.reason(error))
        }
    }

    /// Without addresses and headers.
    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError where error == .deadlineExceeded || error == .connectTimeout:
            "no answer in time"
        case is HTTPClientError: "the connection failed (\(error))"
        case is CancellationError: "cancelled"
        default: "the connection failed (\(type(of: error)))"
        }
    }
}
