import Catalog
package import EventLog
import LibPQ
package import Logging
import Synchronization

/// All queues of the log, as one process reaches them.
package final class QueueDirectory: Sendable {
    private struct Entry {
        let queue: QueueDescription?
        let readAt: ContinuousClock.Instant
    }

    let log: EventLog
    private let host: QueueHost?
    private let logger: Logger
    private let cache = Mutex<[String: Entry]>([:])
    private let owners = Mutex<[Int16: (address: String, readAt: ContinuousClock.Instant)]>([:])

    /// How long a queue's row is believed.
    private static let lifetime: Duration = .seconds(1)
    private static let ownerLifetime: Duration = .milliseconds(500)
    private static let cacheLimit = 10_000
    /// How long a request waits for a queue to have an owner.
    private static let patience: Duration = .seconds(6)
    private static let poll: Duration = .milliseconds(50)

    /// - Parameter host: nil in a process that owns no queues: it knows where the owners are.
    package init(log: EventLog, host: QueueHost?, logger: Logger) {
        self.log = log
        self.host = host
        self.logger = logger
    }

    /// Dispatchers run in this process.
    var ownsQueues: Bool { host != nil }

    /// The queue of this name, as it was within the last second.
    package func find(_ name: String) async throws(QueueDirectoryError) -> QueueDescription {
        let now = ContinuousClock.now
        if let entry = cache.withLock({ $0[name] }), now - entry.readAt < Self.lifetime {
            guard let queue = entry.queue else { throw .noSuchQueue }
            return queue
        }
        let found = try await read { session in
            try session.query(Statements.findQueue, Parameters().text(name)).first.map { try QueueDescription($0) }
        }
        cache.withLock { cache in
            if cache.count >= Self.cacheLimit { cache.removeAll(keepingCapacity: true) }
            cache[name] = Entry(queue: found, readAt: now)
        }
        guard let found else { throw .noSuchQueue }
        return found
    }

    /// Queues by name, after one, at most `limit`.
    package func list(
        prefix: String,
        after: String?,
        limit: Int
    ) async throws(QueueDirectoryError) -> [QueueDescription] {
        let parameters = Parameters().text(prefix).text(after ?? "").int32(Int32(limit))
        return try await read { session in
            try session.query(Statements.listQueues, parameters).map { row throws(PostgresError) in
                try QueueDescription(row)
            }
        }
    }

    /// Names of the queues whose redrive policy names this one.
    package func sources(ofDeadLetterQueue name: String) async throws(QueueDirectoryError) -> [String] {
        try await read { session in
            try session.query(Statements.deadLetterSources, Parameters().text(name)).map { row throws(PostgresError) in
                try row.text(0)
            }
        }
    }

    /// Where the queue's owner is; `.nobody` after a bounded wait.
    package func route(to queue: QueueDescription) async throws(QueueDirectoryError) -> QueueRoute {
        let reference = QueueReference(id: queue.id, name: queue.name)
        let deadline = ContinuousClock.now + Self.patience
        repeat {
            if let client = host?.owner(of: reference) {
                return .here(QueueEndpoint(client: client, queue: queue, log: log))
            }
            if let address = try await ownerElsewhere(queue.id) { return .at(address) }
            // Nobody owns it, or its owner has no gateway: perhaps this process may.
            guard let host, host.client(for: reference) != nil else {
                if self.host != nil { throw .tooManyInUse }
                try await pause()
                continue
            }
            try await pause()
        } while ContinuousClock.now < deadline
        return .nobody
    }

    /// What was believed about who owns a queue turned out to be wrong. Perhaps the queue is no more.
    package func forgetOwner(of queue: QueueDescription) async throws(QueueDirectoryError) {
        owners.withLock { $0[queue.id] = nil }
        forget(queue.name)
        guard try await find(queue.name).isSame(as: queue) else { throw .noSuchQueue }
    }

    func forget(_ name: String) {
        cache.withLock { $0[name] = nil }
    }

    /// The dispatchers of this process that own their queue.
    var owned: [QueueClient] { host?.owned ?? [] }

    /// Lets the queue's owner here, if it is one, look at what has changed.
    func refresh(_ queue: QueueDescription) {
        host?.owner(of: QueueReference(id: queue.id, name: queue.name))?.refresh()
    }

    private func ownerElsewhere(_ id: Int16) async throws(QueueDirectoryError) -> String? {
        let now = ContinuousClock.now
        if let known = owners.withLock({ $0[id] }), now - known.readAt < Self.ownerLifetime { return known.address }
        let mine = host?.ownerName
        let address = try await read { session -> String? in
            guard let row = try session.query(Statements.queueOwner, Parameters().int16(id)).first,
                try row.text(0) != mine
            else { return nil }
            return try row.optionalText(1)
        }
        owners.withLock { $0[id] = address.map { ($0, now) } }
        return address
    }

    private func pause() async throws(QueueDirectoryError) {
        do { try await Task.sleep(for: Self.poll) } catch { throw .cancelled }
    }

    func read<Value: Sendable>(
        _ body: @Sendable (Session) throws -> Value
    ) async throws(QueueDirectoryError) -> Value {
        do { return try await log.readers.withConnection(body) } catch { throw QueueDirectoryError(error) }
    }
}

/// Where to go with a request for a queue.
package enum QueueRoute: Sendable {
    case here(QueueEndpoint)
    /// To another gateway: `http://HOST:PORT`.
    case at(String)
    /// Its owner is gone and nobody has taken it over yet.
    case nobody
}
