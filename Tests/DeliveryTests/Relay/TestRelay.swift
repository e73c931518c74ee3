import Catalog
import EmbeddedPostgres
import EventLog
import LibPQ
import Logging
import ServiceLifecycle
import TestSupport
import Testing

@testable import Delivery

/// A log in a database of its own, and relays beside it.
struct TestRelay: Sendable {
    let log: EventLog
    let address: ClusterAddress

    static let logger = Logger(label: "relay-tests") { _ in SwiftLogNoOpLogHandler() }
    static let profile = AWSProfile(
        name: nil,
        environment: [
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-secret", "AWS_REGION": "eu-west-1",
        ]
    )

    private static let migrated = DatabaseTemplate(name: "relay") { address in
        let session = try Session.open(connection(address.ownerConnectionString))
        defer { session.close() }
        try Migrator(session: session, logger: logger)
            .migrate(as: Migrator.Origin(partitionSize: 65_536), servingRole: ClusterAddress.servingRole)
    }

    static func connection(_ url: String) -> ConnectionConfiguration {
        let options = [(name: "search_path", value: "\(Migrator.schema), pg_temp")]
        return ConnectionConfiguration(url: url, applicationName: "relay-tests", options: options)
    }

    static func run(_ body: @Sendable (TestRelay) async throws -> Void) async throws {
        let address = try await TestCluster.shared.createDatabase(template: migrated)
        let connection = connection(address.servingConnectionString)
        let session = try Session.open(connection)
        let identity = try #require(try LogIdentity.read(session))
        session.close()
        let log = EventLog(
            identity: identity,
            committer: CommitterConfiguration(connection: connection),
            readers: Pool(configuration: connection, limits: Pool.Limits(size: 2), logger: logger),
            logger: logger
        )
        let test = TestRelay(log: log, address: address)
        try await running([log]) { try await body(test) }
        await log.readers.shutdown()
        try await TestCluster.shared.dropDatabase(address)
    }

    /// Runs services while `body` runs.
    static func running(_ services: [any Service], _ body: @Sendable () async throws -> Void) async throws {
        let group = ServiceGroup(services: services, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do { try await body() } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    /// A process's relays.
    func relays(
        owner: String = "one",
        _ change: (inout DestinationRelay.Settings) -> Void = { _ in },
        open: @escaping DestinationOpener = TestRelay.open
    ) -> RelaySupervisor {
        var settings = DestinationRelay.Settings(owner: owner)
        change(&settings)
        return RelaySupervisor(
            log: log,
            connection: Self.connection(address.servingConnectionString),
            settings: settings,
            logger: Self.logger,
            open: open
        )
    }

    static let open: DestinationOpener = { description throws(DestinationError) in
        try SQSDestination(
            SQSConfiguration(json: description.configuration),
            profile: profile,
            timeout: .seconds(2)
        )
    }

    // MARK: - Acts

    func administration() throws -> DestinationAdministration {
        DestinationAdministration(log: log, context: try #require(RequestContext.commandLine(role: "operator")))
    }

    func add(_ name: String, _ url: String, types: [EventType] = [], products: [Int64] = []) async throws {
        let cursor = try await administration().add(
            name: name,
            kind: .sqs,
            configuration: SQSConfiguration(queueURL: url).json,
            types: types,
            products: products,
            after: 0
        )
        #expect(cursor == 0)
    }

    func submit(_ work: Work) async throws {
        let userID = try #require(UserID(external: "ana"))
        let caller = Caller(userID: userID, client: nil, auth: .key)
        let context = RequestContext(caller: caller, requestID: .generated(UUIDv7()), trace: nil, via: .post)
        _ = try await log.submit(work, context: context)
    }

    /// Makes products, the first of them `from`, and fetches each `fetches` times, in turn.
    func fill(products: Int, fetches: Int, from first: Int = 1) async throws {
        let price = try #require(Price(decimal: "1.5"))
        for number in first..<first + products {
            let fields = ProductFields(code: "C\(number)", name: "N", model: "", price: price)
            try await submit(.create(try NewProduct(id: ProductID(Int64(number)), fields: fields)))
        }
        for _ in 0..<fetches {
            for number in first..<first + products {
                try await submit(.fetch(try #require(ProductID(Int64(number)))))
            }
        }
    }

    // MARK: - Looking

    func withSession<Value>(_ body: (Session) throws -> Value) throws -> Value {
        let session = try Session.open(Self.connection(address.ownerConnectionString))
        defer { session.close() }
        return try body(session)
    }

    /// Every event, with its group as messages name it.
    func events() throws -> [(position: Int64, group: String, type: EventType)] {
        try withSession { session in
            try RecordedEvent.read(session, after: 0, limit: 100_000).map {
                ($0.position, $0.productID.map { String($0) } ?? "log", $0.type)
            }
        }
    }

    func status(_ name: String) throws -> DestinationStatus {
        let all = try withSession { try DestinationStatus.read($0) }
        return try #require(all.first { $0.destination.name == name })
    }

    func parked() throws -> [ParkedEvent] { try withSession { try ParkedEvent.read($0, limit: 100) } }

    /// Waits until it holds, for half a minute at most.
    func wait(_ what: String, until holds: () throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while try !holds() {
            guard ContinuousClock.now < deadline else {
                Issue.record("not within half a minute: \(what)")
                return
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Waits until the saved cursor has reached the log's end.
    func caughtUp(_ name: String) async throws {
        try await wait("\(name) catches up") { try status(name).behind == 0 && status(name).heldProducts == 0 }
    }
}

extension Destination {
    /// Sends as an owner whose lease is not over.
    func send(_ messages: [OutgoingEvent]) async -> [SendOutcome] { await send(messages, .always) }
}
