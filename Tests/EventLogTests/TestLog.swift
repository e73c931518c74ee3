import Catalog
import EmbeddedPostgres
import LibPQ
import Logging
import ServiceLifecycle
import TestSupport
import Testing

@testable import EventLog

/// A real log in a database of its own. Its committer runs only inside `running`, so a test can queue submissions first
/// and know that they are judged as one batch.
struct TestLog: Sendable {
    let log: EventLog
    let address: ClusterAddress

    static let logger = Logger(label: "event-log-tests") { _ in SwiftLogNoOpLogHandler() }
    static let options = [(name: "search_path", value: "\(Migrator.schema), pg_temp")]
    static let committerName = "event-log-tests committer"

    /// Runs `body` against a fresh log whose committer does not run yet.
    static func prepared(
        _ change: (inout CommitterConfiguration) -> Void = { _ in },
        _ body: @Sendable (TestLog) async throws -> Void
    ) async throws {
        let address = try await TestCluster.shared.createDatabase(template: migrated)
        let test = TestLog(log: try open(address, change: change), address: address)
        do {
            try await body(test)
        } catch {
            await test.log.readers.shutdown()
            throw error
        }
        await test.log.readers.shutdown()
        try await TestCluster.shared.dropDatabase(address)
    }

    /// Runs `body` against a fresh log at work.
    static func run(
        _ change: (inout CommitterConfiguration) -> Void = { _ in },
        _ body: @Sendable (TestLog) async throws -> Void
    ) async throws {
        try await prepared(change) { test in
            try await running(test.log) { try await body(test) }
        }
    }

    /// Runs the log's committer while `body` runs.
    static func running(_ log: EventLog, _ body: @Sendable () async throws -> Void) async throws {
        let group = ServiceGroup(services: [log], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do {
                try await body()
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    /// Another log on the same database, with a committer of its own.
    func second(asOwner: Bool = false, patience: Duration = .seconds(60)) throws -> EventLog {
        try Self.open(address, asOwner: asOwner) { $0.patience = patience }
    }

    private static let migrated = DatabaseTemplate(name: "event_log") { address in
        let session = try Session.open(
            ConnectionConfiguration(url: address.ownerConnectionString, options: options)
        )
        defer { session.close() }
        try Migrator(session: session, logger: logger)
            .migrate(as: Migrator.Origin(partitionSize: 65_536), servingRole: ClusterAddress.servingRole)
    }

    private static func open(
        _ address: ClusterAddress,
        asOwner: Bool = false,
        change: (inout CommitterConfiguration) -> Void
    ) throws -> EventLog {
        let url = asOwner ? address.ownerConnectionString : address.servingConnectionString
        let connection = ConnectionConfiguration(url: url, applicationName: committerName, options: options)
        let session = try Session.open(connection)
        defer { session.close() }
        var configuration = CommitterConfiguration(connection: connection)
        configuration.patience = .seconds(60)
        change(&configuration)
        return EventLog(
            identity: try #require(try LogIdentity.read(session)),
            committer: configuration,
            readers: Pool(
                configuration: ConnectionConfiguration(url: url, options: options),
                limits: Pool.Limits(size: 2),
                name: "event-log-tests",
                logger: logger
            ),
            logger: logger
        )
    }
}

// MARK: - Sessions beside the log

extension TestLog {
    func asOwner<Result>(_ body: (Session) throws -> Result) throws -> Result {
        try Self.withSession(address.ownerConnectionString, body)
    }

    func asServing<Result>(_ body: (Session) throws -> Result) throws -> Result {
        try Self.withSession(address.servingConnectionString, body)
    }

    func asSuperuser<Result>(_ body: (Session) throws -> Result) throws -> Result {
        try Self.withSession(address.superuserConnectionString, body)
    }

    static func withSession<Result>(_ url: String, _ body: (Session) throws -> Result) throws -> Result {
        let session = try Session.open(ConnectionConfiguration(url: url, options: options))
        defer { session.close() }
        return try body(session)
    }

    /// The whole log.
    func events() throws -> [RecordedEvent] {
        try asServing { try RecordedEvent.read($0, after: 0, limit: 1_000_000) }
    }
}

extension Session {
    /// Rows of a statement that only this test runs.
    func rows(_ text: String, _ parameters: Parameters = Parameters()) throws -> Rows {
        try query(Statement(name: text.count < 60 ? text : "\(text.hashValue)", text: text), parameters)
    }
}

// MARK: - Submissions

extension TestLog {
    static func context(
        _ user: String = "ana",
        label: String? = nil,
        client: ClientReference? = nil
    ) throws -> RequestContext {
        RequestContext(
            caller: Caller(userID: try #require(UserID(any: user)), client: client, auth: .key),
            requestID: try label.map { try #require(RequestID(label: $0)) } ?? .generated(UUIDv7()),
            trace: nil,
            via: .get
        )
    }

    static func fields(_ code: String, name: String = "Desk", price: Int64 = 199_000) throws -> ProductFields {
        ProductFields(code: code, name: name, price: try #require(Price(tenThousandths: price)))
    }

    static func creation(_ code: String, id: ProductID? = nil) throws -> Work {
        .create(try NewProduct(id: id, fields: fields(code)))
    }

    static func patch(_ id: ProductID, _ json: String, if precondition: Precondition = .none) throws -> Work {
        .command(.patch(id, try Patch(json: try JSONParser.parse(Array(json.utf8)), id: id), precondition))
    }

    static func recode(_ id: ProductID, _ code: String) throws -> Work { try patch(id, #"{"code":"\#(code)"}"#) }

    @discardableResult
    func submit(_ work: Work, as user: String = "ana", label: String? = nil) async throws -> Outcome {
        try await log.submit(work, context: Self.context(user, label: label))
    }

    func create(_ code: String, id: ProductID? = nil) async throws -> Product {
        try #require(try await submit(Self.creation(code, id: id)).product)
    }

    /// Queues work in order before the committer starts, then lets it judge all as one batch. The answers, in order.
    func asOneBatch(_ work: [Work], user: String = "ana") async throws -> [Result<Outcome, CommitError>] {
        let contexts = try work.map { _ in try Self.context(user) }
        var tasks: [Task<Result<Outcome, CommitError>, Never>] = []
        for (index, item) in work.enumerated() {
            let log = log
            tasks.append(
                Task {
                    do throws(CommitError) {
                        return .success(try await log.submit(item, context: contexts[index]))
                    } catch {
                        return .failure(error)
                    }
                }
            )
            // The depth counts events, and a list may make several.
            let depth = work[...index].reduce(0) { $0 + $1.eventBound }
            while log.queueDepth < depth { await Task.yield() }
        }
        let waiting = tasks
        nonisolated(unsafe) var results: [Result<Outcome, CommitError>] = []
        try await Self.running(log) {
            for task in waiting { results.append(await task.value) }
        }
        return results
    }
}

extension Outcome {
    var product: Product? {
        guard case .product(let product, _) = answer else { return nil }
        return product
    }

    var changed: Bool? {
        guard case .product(_, let changed) = answer else { return nil }
        return changed
    }

    var rejection: Rejection? {
        guard case .rejected(let rejection) = answer else { return nil }
        return rejection
    }

    var isDeleted: Bool {
        guard case .deleted = answer else { return false }
        return true
    }
}
