import Catalog
import EmbeddedPostgres
import EventLog
import LibPQ
import Logging
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import Delivery

/// A server's worth of a consumer over a database: the log, the queues and, if wanted, the consumer's service.
struct ConsumerNode {
    let log: EventLog
    let directory: QueueDirectory
    let events = QueueClient(.productEvents)
    private let address: ClusterAddress
    private let group: ServiceGroup

    static let logger = Logger(label: "consumer-tests") { _ in SwiftLogNoOpLogHandler() }
    static let receiveLimit = 3

    /// With a table of effects, in which nothing forbids doubles.
    private static let migrated = DatabaseTemplate(name: "consumers") { address in
        let session = try Session.open(connection(address.ownerConnectionString))
        defer { session.close() }
        try Migrator(session: session, logger: logger)
            .migrate(as: Migrator.Origin(partitionSize: 65_536), servingRole: ClusterAddress.servingRole)
        try session.execute(
            """
            create table effects (
                number bigint generated always as identity, position bigint not null, product_id bigint);
            grant select, insert on effects to "\(ClusterAddress.servingRole)";
            update queues set max_receive_count = \(receiveLimit) where queue_id = 1
            """
        )
    }

    static func connection(_ url: String) -> ConnectionConfiguration {
        let options = [(name: "search_path", value: "\(Migrator.schema), pg_temp")]
        return ConnectionConfiguration(url: url, applicationName: "consumer-tests", options: options)
    }

    static func withDatabase(_ body: @Sendable (ClusterAddress) async throws -> Void) async throws {
        let address = try await TestCluster.shared.createDatabase(template: migrated)
        try await body(address)
        try await TestCluster.shared.dropDatabase(address)
    }

    init(
        _ address: ClusterAddress,
        owner: String,
        _ consumer: EffectsConsumer? = nil,
        retry: RetryDelay = RetryDelay(first: .milliseconds(50), limit: .milliseconds(50))
    ) throws {
        let configuration = Self.connection(address.servingConnectionString)
        let session = try Session.open(configuration)
        defer { session.close() }
        let log = EventLog(
            identity: try #require(try LogIdentity.read(session)),
            committer: CommitterConfiguration(connection: configuration),
            readers: Pool(configuration: configuration, limits: Pool.Limits(size: 5), logger: Self.logger),
            logger: Self.logger
        )
        let hosting = QueueHost.Configuration(connection: configuration, owner: owner)
        let host = QueueHost(log: log, permanent: [events], configuration: hosting, logger: Self.logger)
        var settings = ConsumerService.Settings()
        settings.workers = 3
        settings.wait = .milliseconds(300)
        settings.pause = .milliseconds(50)
        settings.sweepInterval = .milliseconds(300)
        settings.retry = retry
        let events = events
        let services: [any Service] =
            consumer.map { consumer in
                [ConsumerService(consumer, queue: events, log: log, settings: settings, logger: Self.logger)]
            } ?? []
        self.log = log
        self.address = address
        directory = QueueDirectory(log: log, host: host, logger: Self.logger)
        group = ServiceGroup(services: [log, host] + services, logger: Self.logger)
    }

    func run(_ body: @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
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

    /// Makes products 1 to `products` and fetches each `fetches` times; the positions by product, in order.
    func fill(products: Int64, fetches: Int) async throws -> [Int64: [Int64]] {
        let price = try #require(Price(decimal: "1.5"))
        return try await withThrowingTaskGroup(of: (Int64, [Int64]).self) { tasks in
            for number in 1...products {
                let fields = ProductFields(code: "C\(number)", name: "N", model: "", price: price)
                let product = try NewProduct(id: ProductID(number), fields: fields)
                let id = try #require(product.id)
                tasks.addTask {
                    let context = try QueueNode.context()
                    var positions = [try #require(try await log.submit(.create(product), context: context).position)]
                    for _ in 0..<fetches {
                        positions.append(try #require(try await log.submit(.fetch(id), context: context).position))
                    }
                    return (number, positions)
                }
            }
            return try await tasks.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    /// Receives until `count` messages have come, and leaves them in flight. A product gives no more than one receive's
    /// worth of them.
    func receive(_ count: Int, visibility: Duration = .seconds(30)) async throws -> [QueueMessage] {
        var messages: [QueueMessage] = []
        try await until {
            do {
                messages += try await events.receive(visibilityTimeout: visibility, wait: .milliseconds(100))
            } catch QueueError.notOwner {}
            return messages.count >= count
        }
        return messages
    }

    func store(_ consumer: EffectsConsumer) async throws -> ConsumerStore {
        try await ConsumerStore(consumer, queue: .productEvents, log: log)
    }

    /// The dead letters of the queue, the newest first.
    func dead() async throws -> [DeadLetter] {
        try await log.readers.withConnection { try DeadLetter.read($0, limit: 1_000) }
    }

    /// What a statement of one column and one row answers, as the owner.
    func number(_ query: String) throws -> Int64 { try Self.number(query, address.ownerConnectionString) }

    static func number(_ query: String, _ url: String) throws -> Int64 {
        let session = try Session.open(connection(url))
        defer { session.close() }
        return try session.query(Statement(name: "number", text: query)).only().int64(0)
    }

    /// What has had its effect: positions in that order, by product; 0 stands for none.
    func effects() throws -> [Int64: [Int64]] {
        let session = try Session.open(Self.connection(address.ownerConnectionString))
        defer { session.close() }
        let query = Statement(
            name: "effects",
            text: "select coalesce(product_id, 0), position from effects order by number"
        )
        return try session.query(query).reduce(into: [:]) { $0[try $1.int64(0), default: []].append(try $1.int64(1)) }
    }
}

/// Polls until something is so, for at most half a minute.
func until(
    _ isSo: () async throws -> Bool,
    _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let deadline = ContinuousClock.now + .seconds(30)
    while try await !isSo() {
        try #require(ContinuousClock.now < deadline, comment, sourceLocation: sourceLocation)
        try await Task.sleep(for: .milliseconds(20))
    }
}

/// Writes each event that it applies into a table. Can be told what it cannot apply.
final class EffectsConsumer: Consumer {
    struct Faults {
        /// Events that cannot be applied.
        var poison: Set<Int64> = []
        /// So many times the session is lost while it applies.
        var losses = 0
        /// It sleeps in the database while it applies, once.
        var sleeps = false
    }

    let name = "effects"
    static let reason = "the test cannot apply this"
    private let faults = Mutex(Faults())

    init(poison: Set<Int64> = []) { faults.withLock { $0.poison = poison } }

    func set(_ change: (inout Faults) -> Void) { faults.withLock { change(&$0) } }

    var losses: Int { faults.withLock { $0.losses } }

    func apply(_ events: ConsumedEvents, in session: Session) throws {
        let (poison, isLost, sleeps) = faults.withLock { faults in
            defer {
                faults.losses = max(0, faults.losses - 1)
                faults.sleeps = false
            }
            return (faults.poison, faults.losses > 0, faults.sleeps)
        }
        if isLost {
            _ = try session.query(Statement(name: "lose", text: "select pg_terminate_backend(pg_backend_pid())"))
        }
        if sleeps { _ = try session.query(Statement(name: "sleep", text: "select pg_sleep(30)")) }
        let recorded = try events.read(session)
        let insert = Statement(
            name: "effect",
            text: """
                insert into effects (position, product_id)
                select position, product_id from unnest($1::bigint[], $2::bigint[]) with ordinality
                    e (position, product_id, n) order by n
                """
        )
        let parameters = Parameters().int64Array(recorded.map(\.position)).int64Array(recorded.map(\.productID))
        _ = try session.query(insert, parameters)
        // After the effect: what is undone with the transaction must not be seen.
        guard poison.isDisjoint(with: events.positions) else { throw ConsumerError(Self.reason) }
    }
}
