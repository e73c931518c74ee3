import Catalog
import Delivery
import EmbeddedPostgres
import EventLog
import LibPQ
import Logging
import ServiceLifecycle
import TestSupport
import Testing

/// Queues over a real log: what the dispatcher gives, and what the built-in consumer counts.
@Suite(.serialized)
struct DispatcherTests {
    private static let logger = Logger(label: "delivery-tests") { _ in SwiftLogNoOpLogHandler() }
    private static let options = [(name: "search_path", value: "\(Migrator.schema), pg_temp")]

    private static let migrated = DatabaseTemplate(name: "delivery") { address in
        let session = try Session.open(connection(address.ownerConnectionString))
        defer { session.close() }
        try Migrator(session: session, logger: logger)
            .migrate(as: Migrator.Origin(partitionSize: 65_536), servingRole: ClusterAddress.servingRole)
    }

    private static func connection(_ url: String) -> ConnectionConfiguration {
        ConnectionConfiguration(url: url, applicationName: "delivery-tests", options: options)
    }

    /// A server's worth of delivery over a database: the log, both queues and, if wanted, the consumer.
    private struct Node {
        let log: EventLog
        let events = QueueClient(.productEvents)
        let activity = QueueClient(.productActivity)
        let group: ServiceGroup

        init(_ address: ClusterAddress, owner: String, consumes: Bool) throws {
            let configuration = connection(address.servingConnectionString)
            let session = try Session.open(configuration)
            defer { session.close() }
            let identity = try #require(try LogIdentity.read(session))
            let pool = Pool(configuration: configuration, limits: Pool.Limits(size: 2), logger: logger)
            let log = EventLog(
                identity: identity,
                committer: CommitterConfiguration(connection: configuration),
                readers: pool,
                logger: logger
            )
            self.log = log
            let queues = [events, activity].map { client in
                QueueService(client: client, log: log, connection: configuration, owner: owner, logger: logger)
            }
            let consumer: [any Service] =
                consumes ? [ConsumerService(ActivityConsumer(), queue: activity, log: log, logger: logger)] : []
            group = ServiceGroup(services: [log] + queues + consumer, logger: logger)
        }
    }

    private static func withDatabase(_ body: @Sendable (ClusterAddress) async throws -> Void) async throws {
        let address = try await TestCluster.shared.createDatabase(template: migrated)
        try await body(address)
        try await TestCluster.shared.dropDatabase(address)
    }

    private static func running(_ node: Node, _ body: @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await node.group.run() }
            do { try await body() } catch {
                await node.group.triggerGracefulShutdown()
                throw error
            }
            await node.group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        await node.log.readers.shutdown()
    }

    private static func context(_ user: String) throws -> RequestContext {
        let userID = try #require(UserID(external: user))
        return RequestContext(
            caller: Caller(userID: userID, client: nil, auth: .key),
            requestID: .generated(UUIDv7()),
            trace: nil,
            via: .post
        )
    }

    /// Makes `products` products and fetches each `fetches` times, as several users; returns the last position.
    private static func fill(_ log: EventLog, products: Int, fetches: Int) async throws -> Int64 {
        let price = try #require(Price(decimal: "1.5"))
        return try await withThrowingTaskGroup(of: Int64?.self) { tasks in
            for number in 1...products {
                let product = try NewProduct(
                    id: ProductID(Int64(number)),
                    fields: ProductFields(code: "C\(number)", name: "N", model: "", price: price)
                )
                let id = try #require(product.id)
                tasks.addTask {
                    var last = try await log.submit(.create(product), context: try context("ana")).position
                    for fetch in 0..<fetches {
                        let user = fetch.isMultiple(of: 2) ? "ben" : "cleo"
                        last = try await log.submit(.fetch(id), context: try context(user)).position
                    }
                    return last
                }
            }
            return try await tasks.reduce(0) { max($0, $1 ?? 0) }
        }
    }

    /// Receives and deletes until `last` has come; positions in order of receipt with their groups.
    private static func drain(_ queue: QueueClient, through last: Int64) async throws -> [QueueMessage] {
        var received: [QueueMessage] = []
        let deadline = ContinuousClock.now + .seconds(30)
        while received.count < Int(last), ContinuousClock.now < deadline {
            do {
                let messages = try await queue.receive(wait: .milliseconds(500))
                received += messages
                _ = try await queue.delete(messages.map(\.handle))
            } catch QueueError.notOwner {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        return received
    }

    @Test func `every event comes once, and in order within its product`() async throws {
        try await Self.withDatabase { address in
            let node = try Node(address, owner: "one", consumes: false)
            try await Self.running(node) {
                let last = try await Self.fill(node.log, products: 20, fetches: 10)
                for queue in [node.events, node.activity] {
                    let received = try await Self.drain(queue, through: last)
                    #expect(received.map(\.position).sorted() == Array(1...last))
                    for (_, group) in Dictionary(grouping: received, by: \.group) {
                        #expect(group.map(\.position) == group.map(\.position).sorted())
                    }
                }
            }
        }
    }

    @Test func `a message that is not deleted blocks its product alone and comes again`() async throws {
        try await Self.withDatabase { address in
            let node = try Node(address, owner: "one", consumes: false)
            try await Self.running(node) {
                let last = try await Self.fill(node.log, products: 2, fetches: 1)
                var first: [QueueMessage] = []
                while first.isEmpty {
                    first = (try? await node.events.receive(max: 1, wait: .milliseconds(500))) ?? []
                    try await Task.sleep(for: .milliseconds(20))
                }
                let held = first[0]
                var others: [QueueMessage] = []
                while true {
                    let messages = try await node.events.receive(wait: .milliseconds(500))
                    if messages.isEmpty { break }
                    others += messages
                    _ = try await node.events.delete(messages.map(\.handle))
                }
                #expect(others.allSatisfy { $0.group != held.group })
                #expect(Set(others.map(\.group)).count == 2)
                #expect(others.count < Int(last))
                #expect(
                    try await node.events.changeVisibility([VisibilityChange(handle: held.handle, timeout: .zero)]) == [
                        .done
                    ]
                )
                let again = try await node.events.receive(max: 1, wait: .seconds(5))
                #expect(again.map(\.position) == [held.position])
                #expect(again.map(\.receiveCount) == [2])
            }
        }
    }

    @Test func `a replay comes again in order, marked as such, also after a take-over, and ends`() async throws {
        try await Self.withDatabase { address in
            let first = try Node(address, owner: "one", consumes: false)
            try await Self.running(first) {
                let last = try await Self.fill(first.log, products: 5, fetches: 20)
                _ = try await Self.drain(first.events, through: last)
                let range = ReplayRange(from: 1, to: last, product: nil, types: [EventType.fetched.rawValue])
                let replay = QueueReplay(queue: .productEvents, range: range)
                _ = try await first.log.submit(.act(replay.act), context: try Self.context("ana"))
                _ = try await Self.replayed(first.events, atLeast: 10)
            }
            let second = try Node(address, owner: "two", consumes: false)
            try await Self.running(second) {
                let rest = try await Self.replayed(second.events, untilFinished: address)
                #expect(rest.count >= 50 && rest.count <= 90)
                for (_, group) in Dictionary(grouping: rest, by: \.group) {
                    #expect(group.map(\.position) == group.map(\.position).sorted())
                }
            }
        }
    }

    /// Receives and deletes until so many replayed messages have come, or the replay is over.
    private static func replayed(
        _ queue: QueueClient,
        atLeast count: Int = .max,
        untilFinished address: ClusterAddress? = nil
    ) async throws -> [QueueMessage] {
        var found: [QueueMessage] = []
        let deadline = ContinuousClock.now + .seconds(30)
        while found.count < count {
            try #require(ContinuousClock.now < deadline, "only \(found.count) replayed messages came")
            guard let messages = try? await queue.receive(wait: .milliseconds(200)) else {
                try await Task.sleep(for: .milliseconds(20))
                continue
            }
            found += messages.filter(\.isReplay)
            _ = try await queue.delete(messages.map(\.handle))
            if let address, messages.isEmpty, try isFinished(address) { break }
        }
        return found
    }

    /// Whether no replay is under way, and none has left rows behind.
    private static func isFinished(_ address: ClusterAddress) throws -> Bool {
        let session = try Session.open(connection(address.ownerConnectionString))
        defer { session.close() }
        let open = Statement(
            name: "open",
            text: """
                select (select count(*) from queue_replays where finished_at is null)
                    + (select count(*) from queue_leases where replay_no > 0)
                """
        )
        return try session.query(open)[0].int64(0) == 0
    }

    @Test func `the consumer's counts are the log's, also when another process takes over`() async throws {
        try await Self.withDatabase { address in
            for owner in ["one", "two"] {
                let node = try Node(address, owner: owner, consumes: true)
                try await Self.running(node) {
                    let first = owner == "one"
                    let last =
                        first
                        ? try await Self.fill(node.log, products: 10, fetches: 20)
                        : try await Self.fetchMore(node.log)
                    try await Self.untilCounted(address, through: last)
                }
            }
        }
    }

    private static func fetchMore(_ log: EventLog) async throws -> Int64 {
        let id = try #require(ProductID(3))
        return try #require(try await log.submit(.fetch(id), context: try context("ben")).position)
    }

    /// Waits until the inbox holds everything, then compares the counts with the log's.
    private static func untilCounted(_ address: ClusterAddress, through last: Int64) async throws {
        let session = try Session.open(connection(address.ownerConnectionString))
        defer { session.close() }
        let applied = Statement(name: "applied", text: "select coalesce(sum(count), 0)::bigint from user_activity")
        let deadline = ContinuousClock.now + .seconds(30)
        while try session.query(applied)[0].int64(0) < last, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(20))
        }
        let difference = Statement(
            name: "difference",
            text: """
                select count(*) from (
                    (select user_no, type, count(*) from events group by 1, 2
                     except select user_no, type, sum(count)::bigint from user_activity group by 1, 2)
                    union all
                    (select product_id, type, count(*) from events where product_id is not null group by 1, 2
                     except select product_id, type, sum(count)::bigint from product_activity group by 1, 2)) d
                """
        )
        #expect(try session.query(applied)[0].int64(0) == last)
        #expect(try session.query(difference)[0].int64(0) == 0)
    }
}
