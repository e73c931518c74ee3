import Catalog
import Delivery
import EmbeddedPostgres
import EventLog
import Foundation
import Gateway
import LibPQ
import Logging
import SQSProtocol
import ServiceLifecycle
import TestSupport
import Testing

/// A server with queues, listening on a port of its own, and clients that sign as AWS's do.
struct QueueGateway: Sendable {
    let log: EventLog
    let port: Int
    private let group: ServiceGroup

    private static let secretText = String(repeating: "s", count: 32)
    static let secret = ServerSecret(secretText)
    private static let logger = Logger(label: "queue-gateway-tests") { _ in SwiftLogNoOpLogHandler() }
    private static let options = [(name: "search_path", value: "\(Migrator.schema), pg_temp")]

    private static let migrated = DatabaseTemplate(name: "queue_gateway") { address in
        let configuration = ConnectionConfiguration(url: address.ownerConnectionString, options: options)
        let session = try Session.open(configuration)
        defer { session.close() }
        try Migrator(session: session, logger: logger)
            .migrate(as: Migrator.Origin(partitionSize: 65_536), servingRole: ClusterAddress.servingRole)
    }

    static func withDatabase(_ body: @Sendable (ClusterAddress) async throws -> Void) async throws {
        let address = try await TestCluster.shared.createDatabase(template: migrated)
        try await body(address)
        try await TestCluster.shared.dropDatabase(address)
    }

    /// - Parameter ownsQueues: else it knows only where the owners are.
    init(
        _ address: ClusterAddress,
        ownsQueues: Bool = true,
        hasSecret: Bool = true,
        _ change: (inout GatewayConfiguration) -> Void = { _ in }
    ) throws {
        let connection = ConnectionConfiguration(url: address.servingConnectionString, options: Self.options)
        let session = try Session.open(connection)
        defer { session.close() }
        let log = EventLog(
            identity: try #require(try LogIdentity.read(session)),
            committer: CommitterConfiguration(connection: connection),
            readers: Pool(configuration: connection, limits: Pool.Limits(size: 2), logger: Self.logger),
            logger: Self.logger
        )
        self.log = log
        port = try RawConnection.freePort()
        var configuration = GatewayConfiguration(host: "127.0.0.1", port: port)
        change(&configuration)
        var services: [any Service] = [log]
        var host: QueueHost?
        if ownsQueues {
            let hosting = QueueHost.Configuration(
                connection: connection,
                owner: "owner \(port)",
                address: "http://127.0.0.1:\(port)"
            )
            let running = QueueHost(log: log, permanent: [], configuration: hosting, logger: Self.logger)
            services.append(running)
            host = running
        }
        let secret = hasSecret ? Self.secret : nil
        let gateway = GatewayServices(
            eventLog: log,
            keys: KeyStore(pool: log.readers, secret: secret, logger: Self.logger),
            queues: QueueDirectory(log: log, host: host, logger: Self.logger),
            logger: Self.logger
        )
        services.append(buildApplication(gateway, configuration: configuration, logger: Self.logger))
        group = ServiceGroup(services: services, logger: Self.logger)
    }

    func run(_ body: @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do {
                try await untilListening()
                try await body()
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        await log.readers.shutdown()
    }

    private func untilListening() async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            if let connection = try? RawConnection(port: port) {
                connection.close()
                return
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("the gateway does not listen")
    }

    /// A key with the AWS pair that goes with it.
    func makeKey(_ scopes: Set<Scope>, user: String = "ana") async throws -> AccessKey {
        let owner = try #require(UserID(external: user))
        let issued = try await KeyAdministration(log: log, context: .system(.server))
            .create(owner: owner, scopes: scopes)
        return try Self.accessKey(issued)
    }

    static func accessKey(_ issued: KeyAdministration.Issued) throws -> AccessKey {
        let secret = try #require(secret)
        return AccessKey(
            id: ServerSecret.accessKeyID(of: issued.keyID),
            secret: secret.secretAccessKey(of: issued.keyID, generation: issued.generation)
        )
    }
}

/// An answer of the SQS protocol, read.
struct QueueReply: Sendable {
    let status: Int
    /// Names in lower case.
    let headers: [String: String]
    let text: String

    var json: JSONValue { (try? JSONParser.parse(Array(text.utf8))) ?? .null }
    /// What SDKs show as the error's code.
    var code: String? { headers["x-amzn-query-error"].map { String($0.prefix { $0 != ";" }) } }
    var messages: [JSONValue] { json["Messages"]?.items ?? [] }
    var bodies: [String] { messages.compactMap { $0["Body"]?.text } }

    init(_ response: String) throws {
        let parts = response.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        try #require(parts.count == 2, "\(response)")
        let lines = parts[0].split(separator: "\r\n")
        status = try #require(Int(lines[0].split(separator: " ")[1]))
        headers = Dictionary(
            lines.dropFirst().map { line in
                let pair = line.split(separator: ":", maxSplits: 1)
                return (pair[0].lowercased(), pair.count > 1 ? String(pair[1].drop { $0 == " " }) : "")
            },
            uniquingKeysWith: { first, _ in first }
        )
        text = String(parts[1])
    }
}

extension QueueGateway {
    /// Sends a signed request.
    ///
    /// - Parameters:
    ///   - fields: further ones, signed too.
    ///   - change: of the request after it was signed.
    func ask(
        _ operation: SQSOperation,
        _ body: String,
        as key: AccessKey,
        at time: Timestamp = .now(),
        region: String = "eu-west-1",
        fields: [SignableRequest.Field] = [],
        change: (inout SignableRequest) -> Void = { _ in }
    ) async throws -> QueueReply {
        var request = signed(operation, body, as: key, at: time, region: region, fields: fields)
        change(&request)
        return try await send(request, body)
    }

    func signed(
        _ operation: SQSOperation,
        _ body: String,
        as key: AccessKey,
        at time: Timestamp = .now(),
        region: String = "eu-west-1",
        fields: [SignableRequest.Field] = []
    ) -> SignableRequest {
        var request = SignableRequest(
            method: "POST",
            path: "/",
            fields: [
                SignableRequest.Field("host", "127.0.0.1:\(port)"),
                SignableRequest.Field("content-type", "application/x-amz-json-1.0"),
                SignableRequest.Field("x-amz-target", operation.target),
            ] + fields,
            body: Array(body.utf8)
        )
        RequestSigner(key, region: region).sign(&request, at: time)
        return request
    }

    func send(_ request: SignableRequest, _ body: String) async throws -> QueueReply {
        let connection = try RawConnection(port: port, receiveBufferBytes: 1 << 20)
        defer { connection.close() }
        connection.send(Self.head(of: request, contentLength: body.utf8.count))
        await connection.sendWhole(body)
        return try QueueReply(try #require(await connection.readToEnd()))
    }
    static func head(of request: SignableRequest, contentLength: Int) -> String {
        let fields = request.fields.map { "\($0.name): \($0.value)\r\n" }.joined()
        return "\(request.method) \(request.path) HTTP/1.1\r\n\(fields)connection: close\r\n"
            + "content-length: \(contentLength)\r\n\r\n"
    }

    /// The first answer that is not to come again later.
    static func untilServed(_ ask: @Sendable () async throws -> QueueReply) async throws -> QueueReply {
        while true {
            let answer = try await ask()
            if answer.status != 503 { return answer }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Where one poll may wait at a time: until another one does.
    func untilOnePollWaits(at queue: String, as key: AccessKey) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        let poll = #"{"QueueUrl": "\#(queue)", "WaitTimeSeconds": 1}"#
        repeat {
            try await Task.sleep(for: .milliseconds(200))
        } while try await ask(.receiveMessage, poll, as: key).status == 200 && ContinuousClock.now < deadline
    }
}
