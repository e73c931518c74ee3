package import Logging
import ServiceLifecycle

/// A private PostgreSQL under a data directory: made at first use, started, watched, started again when it dies, and
/// stopped when its last user leaves.
///
/// Any number of processes may share it. One of them, the holder of `cluster.lock`, supervises; when it ends, however
/// that happens, another takes over. A server that outlived its supervisor is taken over as it runs. The one that
/// leaves last stops the server.
///
/// ``start()`` first, then ``run()`` in the service group; or ``withCluster(dataDirectory:logger:create:body:)``.
package actor EmbeddedPostgres: Service {
    /// How often the server's life, or the supervisor's lock, is looked at.
    static let watchInterval: Duration = .milliseconds(100)
    static let firstRestartDelay: Duration = .milliseconds(100)
    static let longestRestartDelay: Duration = .seconds(10)
    /// A server that ran this long before it died is started again at once.
    static let steadyAfter: Duration = .seconds(30)
    /// So often a start is tried before ``start()`` fails.
    static let startAttempts = 4

    let dataDirectoryPath: String
    let systemRoot: String
    let create: Bool
    let logger: Logger

    var locks: Locks?
    var isSupervisor = false
    var cluster: PostgresCluster?
    var server: ChildProcess?
    var readySince = ContinuousClock.now
    private var address: ClusterAddress?

    struct Locks {
        let supervisor: LockFile
        let users: LockFile
    }

    /// - Parameters:
    ///   - dataDirectory: `.rastro`, as a rule.
    ///   - create: whether ``start()`` may make a cluster that is not there.
    ///   - systemRoot: where the data lies when this process is root.
    package init(
        dataDirectory: String,
        logger: Logger,
        create: Bool = true,
        systemRoot: String = "/var/lib/rastro"
    ) {
        self.dataDirectoryPath = dataDirectory
        self.systemRoot = systemRoot
        self.create = create
        self.logger = logger
    }

    /// Gets the cluster ready, as its supervisor or as a guest of one, and tells where it is. Calls after the first
    /// return the same; not to be called by two tasks at once.
    ///
    /// - Throws: ``EmbeddedPostgresError``; `CancellationError`. Nothing is left running by a start that failed.
    package func start() async throws -> ClusterAddress {
        if let address { return address }
        do {
            let address = try await join()
            self.address = address
            return address
        } catch {
            await stop()
            throw error
        }
    }

    /// Keeps the cluster running until graceful shutdown or cancellation, then leaves it (see ``stop()``).
    package func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                _ = try await self.start()
                try await self.watch()
            }
        } catch is CancellationError {
            await stop()
        } catch {
            await stop()
            throw error
        }
    }

    /// Leaves the cluster: stops the server, unless others still use it. May be called more than once.
    package func stop() async {
        guard let locks else { return }
        locks.users.unlock()
        if !isSupervisor { isSupervisor = locks.supervisor.tryLock(.exclusive) }
        if isSupervisor {
            if locks.users.tryLock(.exclusive) {
                await stopServer()
                locks.supervisor.unlock()
            } else {
                // Somebody may have left between the two looks, while the supervisor's lock was still ours.
                locks.supervisor.unlock()
                if locks.users.tryLock(.exclusive), locks.supervisor.tryLock(.exclusive) { await stopServer() }
            }
        }
        self.locks = nil
        isSupervisor = false
        server = nil
        address = nil
    }

    /// Runs `body` with the cluster, which is started for it if need be, and watched meanwhile.
    /// - Parameter create: as for `init`; without it, ``EmbeddedPostgresError`` `absent` is thrown if none is there.
    package static func withCluster<Value: Sendable>(
        dataDirectory: String,
        logger: Logger,
        create: Bool = false,
        body: @escaping @Sendable (ClusterAddress) async throws -> Value
    ) async throws -> Value {
        let cluster = EmbeddedPostgres(dataDirectory: dataDirectory, logger: logger, create: create)
        let address = try await cluster.start()
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                try await cluster.run()
                return nil
            }
            group.addTask { try await body(address) }
            while let outcome = try await group.next() {
                guard let value = outcome else { continue }
                group.cancelAll()
                try await group.waitForAll()
                return value
            }
            throw CancellationError()
        }
    }

    /// The nearest data directory with a cluster: `.rastro` in `directory` or in one above it; nil when there is none.
    package static func locate(from directory: String) -> String? {
        guard var place = try? FileText.resolved(directory) else { return nil }
        while true {
            let candidate = (place == "/" ? "" : place) + "/.rastro"
            if FileText.exists(candidate + "/cluster.json") { return candidate }
            guard let slash = place.lastIndex(of: "/"), place != "/" else { return nil }
            place = slash == place.startIndex ? "/" : String(place[..<slash])
        }
    }

    private func stopServer() async {
        guard let cluster else { return }
        let ran = try? await onBlockingThread { cluster.stop() }
        if ran == true { logger.info("PostgreSQL stopped", metadata: ["data": "\(cluster.dataDirectory)"]) }
    }
}
