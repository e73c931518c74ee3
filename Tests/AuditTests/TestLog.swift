import Audit
import Catalog
import EmbeddedPostgres
import EventLog
import LibPQ
import Logging
import ServiceLifecycle
import TestSupport
import Testing

/// A real log with its committer, in a database of its own.
struct TestLog: Sendable {
    let log: EventLog
    let database: ClusterAddress

    static let logger = Logger(label: "audit-tests") { _ in SwiftLogNoOpLogHandler() }

    /// Runs `body` against a fresh log.
    static func run(_ body: @escaping @Sendable (TestLog) async throws -> Void) async throws {
        let address = try await TestCluster.shared.createDatabase(template: migrated)
        let log = try open(address)
        let group = ServiceGroup(services: [log], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do {
                try await body(TestLog(log: log, database: address))
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            } catch {
                await group.triggerGracefulShutdown()
                await log.readers.shutdown()
                throw error
            }
        }
        await log.readers.shutdown()
        try await TestCluster.shared.dropDatabase(address)
    }

    private static let options = [(name: "search_path", value: "\(Migrator.schema), pg_temp")]

    private static let migrated = DatabaseTemplate(name: "audit") { address in
        let configuration = ConnectionConfiguration(url: address.ownerConnectionString, options: options)
        let session = try Session.open(configuration)
        defer { session.close() }
        try Migrator(session: session, logger: logger)
            .migrate(as: Migrator.Origin(partitionSize: 65_536), servingRole: ClusterAddress.servingRole)
    }

    private static func open(_ address: ClusterAddress) throws -> EventLog {
        let configuration = ConnectionConfiguration(url: address.servingConnectionString, options: options)
        let session = try Session.open(configuration)
        defer { session.close() }
        return EventLog(
            identity: try #require(try LogIdentity.read(session)),
            committer: CommitterConfiguration(connection: configuration),
            readers: Pool(
                configuration: configuration,
                limits: Pool.Limits(size: 2),
                name: "audit-tests",
                logger: logger
            ),
            logger: logger
        )
    }
}

// MARK: - Doing something

extension TestLog {
    static func context(
        _ user: String,
        via: Via = .get,
        request: RequestID = .generated(UUIDv7()),
        client: ClientReference? = nil
    ) throws -> RequestContext {
        let userID = try #require(UserID(any: user))
        return RequestContext(
            caller: Caller(userID: userID, client: client, auth: .key),
            requestID: request,
            trace: nil,
            via: via
        )
    }

    func queries(_ user: String = "auditor", examinedLimit: Int = AuditQueries.examinedLimit) throws -> AuditQueries {
        AuditQueries(log: log, context: try Self.context(user, via: .audit), examinedLimit: examinedLimit)
    }

    @discardableResult
    func create(_ code: String, as user: String = "ana", price: String = "19.9") async throws -> Product {
        let price = try #require(Price(decimal: price))
        let new = try NewProduct(fields: ProductFields(code: code, name: "Desk", model: "D-1", price: price))
        let outcome = try await log.submit(.create(new), context: Self.context(user, via: .post))
        guard case .product(let product, _) = outcome.answer else { throw Unexpected(answer: "\(outcome.answer)") }
        return product
    }

    @discardableResult
    func patch(_ id: ProductID, _ json: String, as user: String = "ana") async throws -> Outcome {
        let patch = try Patch(json: try JSONParser.parse(Array(json.utf8)), id: id)
        return try await log.submit(.command(.patch(id, patch, .none)), context: Self.context(user, via: .patch))
    }

    @discardableResult
    func fetch(_ id: ProductID, as user: String, request: RequestID = .generated(UUIDv7())) async throws -> Outcome {
        try await log.submit(.fetch(id), context: Self.context(user, request: request))
    }

    @discardableResult
    func delete(_ id: ProductID, as user: String = "ana") async throws -> Outcome {
        try await log.submit(.command(.delete(id, .none)), context: Self.context(user, via: .delete))
    }

    /// The whole log.
    func all() async throws -> [RecordedEvent] {
        try await log.readers.withConnection { session in
            try RecordedEvent.read(session, after: 0, limit: 100_000)
        }
    }

    struct Unexpected: Error {
        let answer: String
    }
}

extension RecordedEvent {
    var dataText: String? { data.map { String(decoding: $0, as: UTF8.self) } }

    /// `UPDATED v2 ana`
    var summary: String { "\(type)\(version.map { " v\($0)" } ?? "") \(userName)" }
}
