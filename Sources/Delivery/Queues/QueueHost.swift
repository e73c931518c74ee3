package import EventLog
package import LibPQ
package import Logging
import ServiceLifecycle
import Synchronization

/// Runs the dispatchers of this process: of some queues always, of others while somebody asks for them.
package final class QueueHost: Service {
    package struct Configuration: Sendable {
        package var connection: ConnectionConfiguration
        /// Names this process among the owners.
        package var owner: String
        /// Where this process's gateway listens, for others to forward to; nil: nowhere.
        package var address: String?
        /// Each has a thread and a connection; so many at most.
        package var activeLimit = 48
        /// A queue that nobody asks for is given up after this.
        package var idleLimit: Duration = .seconds(60)

        package init(connection: ConnectionConfiguration, owner: String, address: String? = nil) {
            self.connection = connection
            self.owner = owner
            self.address = address
        }
    }

    private struct State {
        var clients: [Int16: QueueClient] = [:]
        var isEnding = false
    }

    private let log: EventLog
    private let configuration: Configuration
    private let logger: Logger
    private let permanent: [QueueClient]
    private let state = Mutex(State())
    private let starts: (stream: AsyncStream<QueueClient>, continuation: AsyncStream<QueueClient>.Continuation)

    /// - Parameter permanent: these run from the start to the end.
    package init(log: EventLog, permanent: [QueueClient], configuration: Configuration, logger: Logger) {
        self.log = log
        self.permanent = permanent
        self.configuration = configuration
        self.logger = logger
        starts = AsyncStream.makeStream()
        for client in permanent { state.withLock { $0.clients[client.queue.id] = client } }
    }

    /// The queue's dispatcher in this process, started if it does not run; nil when too many do, or at shutdown. Whether
    /// it owns the queue is another question.
    func client(for queue: QueueReference) -> QueueClient? {
        state.withLock { state in
            if let client = state.clients[queue.id], !client.inbox.isClosed { return client }
            guard !state.isEnding, state.clients.count < configuration.activeLimit else { return nil }
            let client = QueueClient(queue)
            state.clients[queue.id] = client
            starts.continuation.yield(client)
            return client
        }
    }

    /// The queue's dispatcher if it runs here, owns the queue, and is not about to give it up.
    func owner(of queue: QueueReference) -> QueueClient? {
        state.withLock { $0.clients[queue.id].flatMap { $0.isOwner && !$0.inbox.isClosed ? $0 : nil } }
    }

    /// The dispatchers here that own their queue.
    var owned: [QueueClient] { state.withLock { $0.clients.values.filter(\.isOwner) } }

    var ownerName: String { configuration.owner }

    package func run() async throws {
        await withGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { group in
                for client in permanent { group.addTask { await self.serve(client, idleLimit: nil) } }
                group.addTask { await QueueKeeper(log: self.log, host: self, logger: self.logger).run() }
                for await client in starts.stream {
                    group.addTask { await self.serve(client, idleLimit: self.configuration.idleLimit) }
                }
                group.cancelAll()
            }
        } onGracefulShutdown: {
            self.state.withLock { $0.isEnding = true }
            self.starts.continuation.finish()
        }
    }

    private func serve(_ client: QueueClient, idleLimit: Duration?) async {
        let service = QueueService(
            client: client,
            log: log,
            connection: configuration.connection,
            owner: configuration.owner,
            address: configuration.address,
            idleLimit: idleLimit,
            logger: logger
        )
        do { try await service.run() } catch { logger.error("a queue ended", metadata: ["error": "\(error)"]) }
        state.withLock { if $0.clients[client.queue.id] === client { $0.clients[client.queue.id] = nil } }
    }
}
