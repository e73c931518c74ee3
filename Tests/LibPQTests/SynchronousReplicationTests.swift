import EmbeddedPostgres
import LibPQ
import TestSupport
import Testing

/// A server that waits for a standby that does not exist. Its own, since every commit on it waits.
@Suite("A COMMIT whose wait for a standby was cancelled")
struct SynchronousReplicationTests {
    private static let insert = Statement(name: "insert_kept", text: "insert into kept values ($1::bigint)")

    @Test("answers success with a mere warning, and counts as unknown", .timeLimit(.minutes(1)))
    func cancelledWait() async throws {
        let url = try await Task.detached { try Self.startCluster() }.value
        // Settings that no test of ours may inherit: the commit must wait, the preparation must not.
        let waiting = ConnectionConfiguration(url: url, options: [("synchronous_commit", "on")])
        let plain = ConnectionConfiguration(url: url, options: [("synchronous_commit", "local")])
        let victim = Connection(configuration: waiting, threadName: "victim", logger: TestDatabase.logger)
        let other = Connection(configuration: plain, threadName: "other", logger: TestDatabase.logger)
        try await other.run { try $0.execute("create table kept (id bigint)") }
        for form in CommitForm.allCases {
            let process = try await victim.run { $0.backendProcessID }
            let outcome = Task {
                try await victim.run { session in try failure { try form.commit(session, Self.insert) } }
            }
            try await other.run { session in
                try waitUntil(session, "wait_event = 'SyncRep'", process)
                try session.execute("select pg_cancel_backend(\(process))")
            }
            let error = try await outcome.value
            #expect(error?.code == .commitUnknown, "\(form)")
        }
        await victim.shutdown()
        await other.shutdown()
    }

    private enum CommitForm: CaseIterable {
        case call, pipeline, implicitPipeline, singleStatement

        func commit(_ session: Session, _ insert: Statement) throws {
            let parameters = Parameters().int64(1)
            switch self {
            case .call: try session.transaction { _ = try session.query(insert, parameters) }
            case .pipeline:
                _ = try session.pipeline { pipeline in
                    pipeline.begin()
                    pipeline.add(insert, parameters)
                    pipeline.commit()
                }
            case .implicitPipeline: _ = try session.pipeline { $0.add(insert, parameters) }
            case .singleStatement: _ = try session.query(insert, parameters)
            }
        }
    }

    private static func startCluster() throws -> String {
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
        try cluster.run(
            ["alter system set synchronous_standby_names = 'nobody'", "select pg_reload_conf()"],
            database: "postgres"
        )
        return cluster.address.superuserConnectionString
    }
}
