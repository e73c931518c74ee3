package import EmbeddedPostgres

/// One throw-away PostgreSQL for the whole test process: started at first use, in a temporary directory, without
/// fsync. It and its directory go away with the process, however that ends.
package actor TestCluster {
    package static let shared = TestCluster()

    private var starting: Task<PostgresCluster, any Error>?
    private var templates: [String: Task<Void, any Error>] = [:]
    private var databases = 0

    /// A fresh database: empty, or a copy of `template`, which is prepared once a process.
    ///
    /// The address gives connection strings for the serving role, the owner and the superuser.
    package func createDatabase(template: DatabaseTemplate? = nil) async throws -> ClusterAddress {
        let cluster = try await running()
        if let template { try await prepare(template, on: cluster) }
        databases += 1
        let name = "test_\(databases)"
        let source = template.map(Self.databaseName)
        try await onBlockingThread { try cluster.createDatabase(name, template: source) }
        return cluster.address.database(name)
    }

    /// Removes a database before its process ends, cutting its sessions.
    package func dropDatabase(_ address: ClusterAddress) async throws {
        let cluster = try await running()
        try await onBlockingThread {
            try cluster.run(["drop database if exists \"\(address.database)\" with (force)"], database: "postgres")
        }
    }

    /// The running cluster, for tests that stop or inspect it themselves.
    package func running() async throws -> PostgresCluster {
        if let starting { return try await starting.value }
        let task = Task { try await onBlockingThread(Self.start) }
        starting = task
        return try await task.value
    }

    private func prepare(_ template: DatabaseTemplate, on cluster: PostgresCluster) async throws {
        if let task = templates[template.name] { return try await task.value }
        let task = Task {
            let name = Self.databaseName(template)
            try await onBlockingThread { try cluster.createDatabase(name, template: nil) }
            try await template.prepare(cluster.address.database(name))
            let cut = "select pg_terminate_backend(pid) from pg_stat_activity where datname = '\(name)'"
            try await onBlockingThread { try cluster.run([cut], database: "postgres") }
        }
        templates[template.name] = task
        try await task.value
    }

    private static func databaseName(_ template: DatabaseTemplate) -> String { "template_\(template.name)" }

    @Sendable
    private static func start() throws -> PostgresCluster {
        let account = try ServerAccount.forThisProcess()
        let home = try TemporaryDirectory.make() + "/cluster"
        try FileText.makeDirectory(home, owner: account)
        let cluster = PostgresCluster(
            home: home,
            socketDirectory: home + "/run",
            installation: try PostgresInstallation.find(),
            account: account,
            settings: .throwAway
        )
        try FileText.makeDirectory(cluster.socketDirectory, owner: account)
        try cluster.initialise()
        try cluster.waitUntilReady(try cluster.launch(), timeout: .seconds(60))
        try cluster.bootstrap()
        return cluster
    }
}
