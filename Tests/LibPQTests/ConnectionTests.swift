import LibPQ
import Testing

@Suite("Connections")
struct ConnectionTests {
    private static func connection() async throws -> Connection {
        Connection(
            configuration: try await TestDatabase.configuration(),
            threadName: "connection",
            logger: TestDatabase.logger
        )
    }

    @Test("a cancelled task's statement ends within a second, and its session is thrown away")
    func cancellation() async throws {
        let connection = try await Self.connection()
        let watcher = try await Self.connection()
        let process = try await connection.run { $0.backendProcessID }
        let sleeper = Task { try await connection.run { try $0.execute("select pg_sleep(100)") } }
        try await watcher.run { try waitUntil($0, "wait_event = 'PgSleep'", process) }
        let start = ContinuousClock.now
        sleeper.cancel()
        #expect(try await asyncFailure { try await sleeper.value }?.code == .cancelled)
        #expect(ContinuousClock.now - start < .seconds(1))
        #expect(try await connection.run { $0.backendProcessID } != process)
        await connection.shutdown()
        await watcher.shutdown()
    }

    @Test("a task that is cancelled before its turn runs nothing")
    func cancelledBefore() async throws {
        let connection = try await Self.connection()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await connection.run { _ in _ = Issue.record("it ran") }
        }
        #expect(try await asyncFailure { try await task.value }?.code == .cancelled)
        await connection.shutdown()
    }

    @Test("a transaction left open is rolled back before the next user")
    func leftOpen() async throws {
        let connection = try await Self.connection()
        try await connection.run { try $0.begin() }
        #expect(try await connection.run { $0.transactionStatus } == .idle)
        await connection.shutdown()
    }

    @Test("a session that the server ended while it was idle is replaced unnoticed")
    func terminatedWhileIdle() async throws {
        let connection = try await Self.connection()
        let killer = try await Self.connection()
        let process = try await connection.run { $0.backendProcessID }
        try await killer.run { session in
            try session.execute("select pg_terminate_backend(\(process), 5000)")
        }
        #expect(try await connection.run { $0.backendProcessID } != process)
        await connection.shutdown()
        await killer.shutdown()
    }

    @Test("a failed attempt to connect gives a clear error without the password")
    func connectFailure() async throws {
        let configuration = ConnectionConfiguration(url: "postgresql://u:secret@127.0.0.1:1/x")
        let connection = Connection(configuration: configuration, threadName: "x", logger: TestDatabase.logger)
        let error = try await asyncFailure { try await connection.run { _ in } }
        #expect(error?.code == .connectFailed)
        #expect(error.map { "\($0.debugDescription)".contains("secret") } == false)
        #expect(error?.description.contains("127") == false)
        await connection.shutdown()
        #expect(try await asyncFailure { try await connection.run { _ in } }?.code == .shutdown)
    }

    @Test("settings and the name are those of the configuration, spaces and backslashes included")
    func settings() async throws {
        let configuration = try await TestDatabase.configuration([
            ("statement_timeout", "1234ms"), ("search_path", #"a, "b \c""#),
        ])
        let connection = Connection(configuration: configuration, threadName: "x", logger: TestDatabase.logger)
        let statement = Statement(
            name: "settings",
            text: """
                select current_setting('statement_timeout'), current_setting('search_path'),
                    current_setting('application_name'), current_setting('client_encoding')
                """
        )
        let values = try await connection.run { session in
            let row = try session.query(statement)[0]
            return try (0..<4).map { try row.text($0) }
        }
        #expect(values == ["1234ms", #"a, "b \c""#, "libpq-tests", "UTF8"])
        await connection.shutdown()
    }

    @Test("LISTEN hears NOTIFY, times out, and a cancelled wait ends at once", .timeLimit(.minutes(1)))
    func notifications() async throws {
        let listener = try await Self.connection()
        let sender = try await Self.connection()
        try await listener.run { try $0.listen("Odd \"channel\"") }
        #expect(try await listener.run { try $0.waitForNotification(timeout: .milliseconds(20)) } == nil)
        let waiting = Task { try await listener.run { try $0.waitForNotification(timeout: .seconds(30)) } }
        try await sender.run { try $0.execute("notify \"Odd \"\"channel\"\"\", 'hello'") }
        let notification = try await waiting.value
        #expect(notification?.channel == "Odd \"channel\"")
        #expect(notification?.payload == "hello")
        let endless = Task { try await listener.run { try $0.waitForNotification(timeout: .seconds(100)) } }
        endless.cancel()
        #expect(try await asyncFailure { _ = try await endless.value }?.code == .cancelled)
        await listener.shutdown()
        await sender.shutdown()
    }

    @Test("several hosts: the first that answers as it should")
    func severalHosts() async throws {
        var configuration = try await TestDatabase.configuration()
        configuration.url = configuration.url.replacing("host='", with: "host='/nowhere,")
        configuration.url += " target_session_attrs=read-write"
        let session = try Session.open(configuration)
        #expect(session.isUsable)
        #expect(session.parameterStatus("in_hot_standby") == "off")
        session.close()
        #expect(try failure { try session.execute("select 1") }?.code == .shutdown)
    }

    @Test("a string that libpq cannot parse is an error of the configuration")
    func badString() async throws {
        let configuration = ConnectionConfiguration(url: "host=a passwort=hush")
        let error = try failure { _ = try Session.open(configuration) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.debugDescription.contains("hush") == false)
        #expect(!configuration.redactedDescription.contains("hush"))
    }

    @Test("a server that goes silent past the limit counts as lost")
    func responseLimit() async throws {
        var configuration = try await TestDatabase.configuration()
        configuration.responseLimit = .milliseconds(100)
        let session = try Session.open(configuration)
        let error = try failure { try session.execute("select pg_sleep(30)") }
        #expect(error?.code == .connectionLost)
        #expect(!session.isUsable)
        session.close()
    }
}
