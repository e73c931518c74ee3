import Catalog
import EmbeddedPostgres
import EventLog
import Foundation
import Gateway
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import LibPQ
import Logging
import TestSupport
import Testing

/// A gateway over a real log in a database of its own, with the keys that tests need.
struct TestGateway: Sendable {
    let client: any TestClientProtocol
    let log: EventLog
    let keys: [Who: String]
    let services: GatewayServices
    let database: ClusterAddress

    /// Keys, by owner.
    enum Who: String, CaseIterable, Sendable {
        case ana, ben, reader, proxy, auditor, admin

        var scopes: Set<Scope> {
            switch self {
            case .ana, .ben: [.productsRead, .productsWrite]
            case .reader: [.productsRead]
            case .proxy: [.productsRead, .productsWrite, .actAs]
            case .auditor: [.auditRead]
            case .admin: [.admin]
            }
        }
    }

    /// Runs `body` against a fresh gateway.
    static func run(
        _ setup: TestingSetup = .router,
        secret: ServerSecret? = nil,
        readiness: [(EventLog) -> ReadinessCheck] = [],
        limiter: RefusalLimiter = RefusalLimiter(),
        configuration: GatewayConfiguration = .test(),
        _ body: @escaping @Sendable (TestGateway) async throws -> Void
    ) async throws {
        let address = try await TestCluster.shared.createDatabase(template: migrated)
        let log = try openLog(address)
        let services = GatewayServices(
            eventLog: log,
            keys: KeyStore(pool: log.readers, logger: logger),
            secret: secret,
            readiness: readiness.map { $0(log) },
            limiter: limiter,
            logger: logger
        )
        var application = buildApplication(services, configuration: configuration, logger: logger)
        application.services.insert(log, at: 0)
        do {
            try await application.test(setup) { client in
                let keys = try await makeKeys(log)
                try await body(TestGateway(client: client, log: log, keys: keys, services: services, database: address))
            }
        } catch {
            await log.readers.shutdown()
            throw error
        }
        await log.readers.shutdown()
        try await TestCluster.shared.dropDatabase(address)
    }

    static let logger = Logger(label: "gateway-tests") { _ in SwiftLogNoOpLogHandler() }

    private static let options = [(name: "search_path", value: "\(Migrator.schema), pg_temp")]

    private static let migrated = DatabaseTemplate(name: "gateway") { address in
        let configuration = ConnectionConfiguration(url: address.ownerConnectionString, options: options)
        let session = try Session.open(configuration)
        defer { session.close() }
        try Migrator(session: session, logger: logger)
            .migrate(as: Migrator.Origin(partitionSize: 65_536), servingRole: ClusterAddress.servingRole)
    }

    private static func openLog(_ address: ClusterAddress) throws -> EventLog {
        let configuration = ConnectionConfiguration(url: address.servingConnectionString, options: options)
        let session = try Session.open(configuration)
        defer { session.close() }
        let identity = try #require(try LogIdentity.read(session))
        return EventLog(
            identity: identity,
            committer: CommitterConfiguration(connection: configuration),
            readers: Pool(
                configuration: configuration,
                limits: Pool.Limits(size: 2),
                name: "gateway-tests",
                logger: logger
            ),
            logger: logger
        )
    }

    private static func makeKeys(_ log: EventLog) async throws -> [Who: String] {
        let administration = KeyAdministration(log: log, context: .system(.server))
        var keys: [Who: String] = [:]
        for who in Who.allCases {
            let owner = try #require(UserID(external: who.rawValue))
            keys[who] = try await administration.create(owner: owner, scopes: who.scopes).text
        }
        return keys
    }
}

extension GatewayConfiguration {
    static func test(_ change: (inout GatewayConfiguration) -> Void = { _ in }) -> GatewayConfiguration {
        var configuration = GatewayConfiguration(host: "127.0.0.1", port: 0)
        change(&configuration)
        return configuration
    }
}

// MARK: - Requests

extension TestGateway {
    /// Sends a request; `who` nil sends no key, `type` "" no content type; without a `type` it is the right one.
    func send(
        _ method: HTTPRequest.Method,
        _ uri: String,
        as who: Who? = .ana,
        _ body: String? = nil,
        type: String? = nil,
        headers: HTTPFields = [:]
    ) async throws -> Reply {
        var headers = headers
        if let who { headers[.apiKey] = keys[who] }
        if let type {
            headers[.contentType] = type.isEmpty ? nil : type
        } else if body != nil {
            headers[.contentType] = method == .patch ? "application/merge-patch+json" : "application/json"
        }
        let response = try await client.executeRequest(
            uri: uri,
            method: method,
            headers: headers,
            body: body.map { ByteBuffer(string: $0) }
        )
        return Reply(response)
    }

    /// Makes a product and returns its id.
    @discardableResult
    func makeProduct(_ code: String, price: String = "19.9", as who: Who = .ana) async throws -> Int64 {
        let reply = try await send(.post, "/v1/products", as: who, Self.body(code, price: price))
        try #require(reply.status == .created, "\(reply.text)")
        return try #require(reply.json["id"]?.integer)
    }

    static func body(_ code: String, price: String = "19.9") -> String {
        #"{"code": "\#(code)", "name": "Desk", "model": "D-1", "price": \#(price)}"#
    }
}

extension TestGateway {
    /// A connection of its own to a live gateway, with bytes sent on it.
    func raw(_ bytes: String) throws -> RawConnection {
        let connection = try RawConnection(port: try #require(client.port))
        connection.send(bytes)
        return connection
    }
}

// MARK: - The log

extension TestGateway {
    /// All events after a position.
    func events(after position: Int64 = 0) async throws -> [RecordedEvent] {
        try await log.readers.withConnection { session in
            try RecordedEvent.read(session, after: position, limit: 10_000)
        }
    }

    /// The last position.
    func end() async throws -> Int64 { try await events().last?.position ?? 0 }

    /// What events `body` makes: type, product, version and user of each. Registrations are left out.
    func recorded(_ body: () async throws -> Void) async throws -> [String] {
        let start = try await end()
        try await body()
        return try await events(after: start).filter { $0.type != .userRegistered }.map { event in
            let product = event.productID.map { " \($0)" } ?? ""
            let version = event.version.map { " v\($0)" } ?? ""
            return "\(event.type)\(product)\(version) \(event.userID ?? "?") \(event.via)"
        }
    }
}

/// An answer, read.
struct Reply: Sendable {
    let status: HTTPResponse.Status
    let headers: HTTPFields
    let text: String
    /// Null when the body is no JSON.
    let json: JSONValue

    init(_ response: TestResponse) {
        status = response.status
        headers = response.headers
        text = String(buffer: response.body)
        json = (try? JSONParser.parse(Array(text.utf8))) ?? .null
    }

    /// The problem's code; nil when it is no problem document.
    var problem: String? {
        headers[.contentType] == "application/problem+json" ? json["code"]?.text : nil
    }

    var position: Int64? { headers[.eventPosition].flatMap { Int64($0) } }
}

extension JSONValue {
    var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    var integer: Int64? {
        if case .number(let text) = self { Int64(text) } else { nil }
    }

    var number: String? {
        if case .number(let text) = self { text } else { nil }
    }

    var items: [JSONValue] {
        if case .array(let items) = self { items } else { [] }
    }
}
