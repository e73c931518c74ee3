import Catalog
import Delivery
import EmbeddedPostgres
import EventLog
import LibPQ
import Logging
import ServiceLifecycle
import TestSupport
import Testing

/// A server's worth of queues over a database: the log, a host of dispatchers, and the directory.
struct QueueNode {
    let log: EventLog
    let directory: QueueDirectory
    private let group: ServiceGroup

    static let logger = Logger(label: "queue-tests") { _ in SwiftLogNoOpLogHandler() }

    private static let migrated = DatabaseTemplate(name: "queues") { address in
        let session = try Session.open(connection(address.ownerConnectionString))
        defer { session.close() }
        try Migrator(session: session, logger: logger)
            .migrate(as: Migrator.Origin(partitionSize: 65_536), servingRole: ClusterAddress.servingRole)
    }

    static func connection(_ url: String) -> ConnectionConfiguration {
        ConnectionConfiguration(
            url: url,
            applicationName: "queue-tests",
            options: [(name: "search_path", value: "\(Migrator.schema), pg_temp"), (name: "lock_timeout", value: "1s")]
        )
    }

    init(_ address: ClusterAddress, owner: String, listening gateway: String? = nil) throws {
        let configuration = Self.connection(address.servingConnectionString)
        let session = try Session.open(configuration)
        defer { session.close() }
        let identity = try #require(try LogIdentity.read(session))
        let pool = Pool(configuration: configuration, limits: Pool.Limits(size: 2), logger: Self.logger)
        let log = EventLog(
            identity: identity,
            committer: CommitterConfiguration(connection: configuration),
            readers: pool,
            logger: Self.logger
        )
        var hosting = QueueHost.Configuration(connection: configuration, owner: owner, address: gateway)
        hosting.idleLimit = .seconds(3)
        let host = QueueHost(log: log, permanent: [], configuration: hosting, logger: Self.logger)
        self.log = log
        directory = QueueDirectory(log: log, host: host, logger: Self.logger)
        group = ServiceGroup(services: [log, host], logger: Self.logger)
    }

    static func withDatabase(_ body: @Sendable (ClusterAddress) async throws -> Void) async throws {
        let address = try await TestCluster.shared.createDatabase(template: migrated)
        try await body(address)
        try await TestCluster.shared.dropDatabase(address)
    }

    /// Runs a node over a database of its own.
    static func running(
        _ body: @Sendable (QueueNode, ClusterAddress) async throws -> Void
    ) async throws {
        try await withDatabase { address in
            let node = try QueueNode(address, owner: "one")
            try await node.run { try await body(node, address) }
        }
    }

    /// Runs statements as the tables' owner; the first column of the first row of the last one, 0 without any.
    @discardableResult
    static func sql(_ address: ClusterAddress, _ text: String) throws -> Int64 {
        let session = try Session.open(connection(address.ownerConnectionString))
        defer { session.close() }
        return try session.query(Statement(name: "sql", text: text)).first?.int64(0) ?? 0
    }

    /// - Parameter other: runs as long.
    func run(beside other: (any Service)? = nil, _ body: @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            if let other { await group.addServiceUnlessShutdown(other) }
            tasks.addTask { try await group.run() }
            do { try await body() } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        await log.readers.shutdown()
    }

    static func context(_ user: String = "ana") throws -> RequestContext {
        let userID = try #require(UserID(external: user))
        return RequestContext(
            caller: Caller(userID: userID, client: nil, auth: .key),
            requestID: .generated(UUIDv7()),
            trace: nil,
            via: .post
        )
    }

    /// Makes a queue and returns its owner here.
    func make(
        _ name: String,
        isFIFO: Bool = true,
        _ adjust: (inout QueueSettings) -> Void = { _ in }
    ) async throws -> QueueEndpoint {
        var settings = QueueSettings(isFIFO: isFIFO)
        adjust(&settings)
        let queue = try await directory.create(name, settings, tags: [:], context: try Self.context())
        return try await endpoint(queue.name)
    }

    /// The queue as this process owns it.
    func endpoint(_ name: String) async throws -> QueueEndpoint {
        guard case .here(let endpoint) = try await directory.route(to: try await directory.find(name)) else {
            throw Elsewhere()
        }
        return endpoint
    }

    struct Elsewhere: Error {}

    /// The actions of the log's OPERATED events, in order.
    func operations() async throws -> [String] {
        try await log.readers.withConnection { session in
            try RecordedEvent.read(session, after: 0, limit: 1_000).filter { $0.type == .operated }.map { event in
                guard case .string(let action)? = try JSONParser.parse(event.data ?? [])["action"] else { return "" }
                return action
            }
        }
    }
}

extension QueueEndpoint {
    /// Sends bodies to a group, one after the other.
    @discardableResult
    func send(_ bodies: [String], group: String? = "g", deduplicated: Bool = true) async throws -> [SentMessage] {
        try await send(
            bodies.map { body in
                NewMessage(body: body, groupID: group, deduplicationID: deduplicated ? body : nil, sender: 1)
            }
        )
    }

    func receive(_ max: Int = 10, seconds: Int64 = 30, wait: Duration = .zero) async throws -> [ReceivedMessage] {
        try await receive(max: max, visibilityTimeout: .seconds(seconds), wait: wait)
    }

    /// Receives and deletes until nothing comes for a while.
    func drain() async throws -> [ReceivedMessage] {
        var all: [ReceivedMessage] = []
        while true {
            let messages = try await receive(wait: .milliseconds(300))
            if messages.isEmpty { return all }
            all += messages
            _ = try await delete(messages.map(\.receiptHandle))
        }
    }
}
