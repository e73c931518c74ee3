import Logging

extension EmbeddedPostgres {
    /// Takes both locks' places and waits until the server is ready: brought up by us, or by whoever supervises.
    func join() async throws -> ClusterAddress {
        let directory = try DataDirectory(path: dataDirectoryPath, systemRoot: systemRoot, create: create)
        if !create, try ClusterState(path: directory.statePath) == nil, !FileText.exists(directory.lockPath) {
            throw Self.absent(directory)
        }
        let locks = Locks(
            supervisor: try LockFile(path: directory.lockPath),
            users: try LockFile(path: directory.usersPath)
        )
        let deadline = ContinuousClock.now + PostgresCluster.startTimeout
        var counted = false
        while ContinuousClock.now < deadline {
            // Fails only for the moment in which the last user stops the server.
            counted = counted || locks.users.tryLock(.shared)
            if counted {
                self.locks = locks
                if locks.supervisor.tryLock(.exclusive) {
                    isSupervisor = true
                    return try await bringUp(directory)
                }
                if let address = try visit(directory) { return address }
            }
            try await Task.sleep(for: Self.watchInterval / 2)
        }
        throw EmbeddedPostgresError(
            .busy,
            "another process holds \(directory.lockPath), and its PostgreSQL was not ready in "
                + "\(PostgresCluster.startTimeout)"
        )
    }

    /// Watches: as supervisor the server, as guest the supervisor. Ends only by an error or cancellation.
    func watch() async throws {
        var delay = Self.firstRestartDelay
        while true {
            try await Task.sleep(for: Self.watchInterval)
            guard let cluster, let locks else { throw CancellationError() }
            if !isSupervisor {
                guard locks.supervisor.tryLock(.exclusive) else { continue }
                isSupervisor = true
                logger.notice("took over the supervision of PostgreSQL", metadata: ["data": "\(cluster.dataDirectory)"])
            }
            let runs = server.map { PostmasterFile.runs($0.pid, on: cluster.dataDirectory) } ?? false
            let steady = ContinuousClock.now - readySince > Self.steadyAfter
            if steady { delay = Self.firstRestartDelay }
            if runs { continue }
            let status = server?.poll()
            if server != nil {
                logger.error("PostgreSQL ended and is started again", metadata: ["status": "\(status ?? 0)"])
                server = nil
            }
            if !steady {
                try await Task.sleep(for: delay)
                delay = min(delay * 2, Self.longestRestartDelay)
            }
            do {
                _ = try await makeReady(cluster, attempts: 1)
            } catch let error as EmbeddedPostgresError {
                logger.error("PostgreSQL cannot be started", metadata: ["error": "\(error)"])
            }
        }
    }

    /// As supervisor: makes what is missing and gets the server ready.
    private func bringUp(_ directory: DataDirectory) async throws -> ClusterAddress {
        let state = try ClusterState(path: directory.statePath)
        let known = try directory.existingHome()
        guard known != nil || create else { throw Self.absent(directory) }
        if known?.hasData == false, state != nil {
            let gone = "the data of \(directory.statePath) is gone from \(known?.path ?? "")"
            throw EmbeddedPostgresError(.fileSystem, gone)
        }
        let account = try known.map { try ServerAccount.owning($0.path) } ?? ServerAccount.forThisProcess()
        let home = try known ?? directory.makeHome(account: account)
        let cluster = try await assemble(home, account: account)
        self.cluster = cluster
        if !home.hasData {
            let marker = home.dataMarker
            try await onBlockingThread { try cluster.initialise(marker: marker) }
            let version = cluster.installation.majorVersion
            logger.notice(
                "made a private PostgreSQL",
                metadata: ["data": "\(home.path)/data", "version": "\(version)"]
            )
        }
        let address = try await makeReady(cluster, attempts: Self.startAttempts)
        if state == nil { try await onBlockingThread { try cluster.bootstrap() } }
        let now = ClusterState(cluster: home.cluster, home: home.path, address: address)
        if now != state { try now.write(to: directory.statePath, owner: try directory.owner()) }
        return address
    }

    /// As guest: the address, once the supervisor's server takes connections.
    private func visit(_ directory: DataDirectory) throws -> ClusterAddress? {
        guard let state = try ClusterState(path: directory.statePath), let home = try directory.existingHome(),
            home.hasData, let file = PostmasterFile(dataDirectory: home.path + "/data"), file.isReady,
            PostmasterFile.runs(file.pid, on: home.path + "/data")
        else { return nil }
        let account = try ServerAccount.owning(home.path)
        cluster = PostgresCluster(
            home: home.path,
            socketDirectory: file.socketDirectory ?? state.socketDirectory,
            installation: try PostgresInstallation.find(majorVersion: try home.majorVersion()),
            account: account,
            settings: .durable(in: home.path, logDirectory: home.path + "/log")
        )
        return cluster?.address
    }

    private func assemble(_ home: ClusterHome, account: ServerAccount) async throws -> PostgresCluster {
        try await onBlockingThread {
            PostgresCluster(
                home: home.path,
                socketDirectory: try home.makeSocketDirectory(account: account),
                installation: try PostgresInstallation.find(majorVersion: home.hasData ? home.majorVersion() : nil),
                account: account,
                settings: .durable(in: home.path, logDirectory: home.path + "/log")
            )
        }
    }

    /// Takes over the server that runs, or starts one, and waits until it takes connections.
    private func makeReady(_ cluster: PostgresCluster, attempts: Int) async throws -> ClusterAddress {
        let data = cluster.dataDirectory
        let deadline = ContinuousClock.now + PostgresCluster.startTimeout
        var failures = 0
        while ContinuousClock.now < deadline {
            do {
                if let pid = PostmasterFile.serverPID(in: data) {
                    if let file = PostmasterFile(dataDirectory: data), file.pid == pid, file.isReady {
                        return accept(ChildProcess(pid: pid), file: file, of: cluster)
                    }
                } else if let server, try !cluster.isReady(server) {
                    // It has not written its file yet.
                } else {
                    try await onBlockingThread { try cluster.clearLeftovers() }
                    try Task.checkCancellation()
                    server = try cluster.launch()
                }
            } catch let error as EmbeddedPostgresError {
                server = nil
                failures += 1
                guard failures < attempts else { throw error }
                try await Task.sleep(for: Self.firstRestartDelay * failures)
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw EmbeddedPostgresError(.notReady, "PostgreSQL in \(data) was not ready in \(PostgresCluster.startTimeout)")
    }

    private func accept(_ found: ChildProcess, file: PostmasterFile, of cluster: PostgresCluster) -> ClusterAddress {
        let what = found.pid == server?.pid ? "PostgreSQL started" : "took over a running PostgreSQL"
        logger.info("\(what)", metadata: ["pid": "\(found.pid)", "data": "\(cluster.dataDirectory)"])
        server = found
        readySince = ContinuousClock.now
        return ClusterAddress(socketDirectory: file.socketDirectory ?? cluster.socketDirectory)
    }

    private static func absent(_ directory: DataDirectory) -> EmbeddedPostgresError {
        EmbeddedPostgresError(.absent, "there is no cluster in \(directory.path): start the server once to make it")
    }
}
