import Glibc

/// One cluster on disk and the programs, account and settings to run it with: how to make it, start it and stop it.
/// Keeps no state; ``EmbeddedPostgres`` supervises. All calls block the calling thread.
package struct PostgresCluster: Sendable {
    /// Holds `data`, and `run` and `log` where they fit; belongs to `account`, mode 0700.
    package let home: String
    package let socketDirectory: String
    package let installation: PostgresInstallation
    package let account: ServerAccount
    package let settings: ClusterSettings

    package var dataDirectory: String { home + "/data" }
    package var address: ClusterAddress { ClusterAddress(socketDirectory: socketDirectory) }

    private static let unfinishedPrefix = "data.unfinished-"
    static let initialiseTimeout: Duration = .seconds(120)
    static let statementTimeout: Duration = .seconds(60)
    /// Recovery after a crash replays WAL, which may be gigabytes.
    package static let startTimeout: Duration = .seconds(300)
    static let leftoversTimeout: Duration = .seconds(10)
    package static let stopTimeout: Duration = .seconds(60)

    package init(
        home: String,
        socketDirectory: String,
        installation: PostgresInstallation,
        account: ServerAccount,
        settings: ClusterSettings
    ) {
        self.home = home
        self.socketDirectory = socketDirectory
        self.installation = installation
        self.account = account
        self.settings = settings
    }

    /// Makes the data directory. It appears under its final name only when it is whole, `marker` (name and text of a
    /// file) included; what a crash left half made is removed by the next call.
    package func initialise(marker: (name: String, text: String)? = nil) throws {
        for leftover in FileText.children(of: home) where leftover.hasPrefix(Self.unfinishedPrefix) {
            try ChildProcess.succeed(["/bin/rm", "-rf", "--", "\(home)/\(leftover)"], timeout: Self.initialiseTimeout)
        }
        // A name of its own each time: the initdb of a killed process may still be at work on the last one.
        let unfinished = "\(home)/\(Self.unfinishedPrefix)\(UInt32.random(in: 0 ... .max))"
        var command = [
            installation.initdb, "--pgdata=\(unfinished)", "--username=\(ClusterAddress.superuserRole)",
            "--encoding=UTF8", "--locale=C", "--auth=trust", "--data-checksums", "--no-instructions",
        ]
        if settings.durability == .none { command.append("--no-sync") }
        try ChildProcess.succeed(account.command(command), timeout: Self.initialiseTimeout)
        try FileText.write(Self.accessRules, to: unfinished + "/pg_hba.conf", owner: account)
        let main = try FileText.read(unfinished + "/postgresql.conf")
        try FileText.write(main + "\ninclude = 'rastro.conf'\n", to: unfinished + "/postgresql.conf", owner: account)
        if let marker {
            try FileText.write(marker.text, to: "\(unfinished)/\(marker.name)", owner: account)
        }
        guard rename(unfinished, dataDirectory) == 0 else { throw FileText.failure("cannot make \(dataDirectory)") }
        if settings.durability == .full { try FileText.syncDirectory(home) }
    }

    /// Starts the server; it has not taken connections yet when this returns. Its messages go to `log/start.log` until
    /// its own logging begins.
    package func launch() throws -> ChildProcess {
        let settingsText = settings.fileText(socketDirectory: socketDirectory)
        try FileText.write(settingsText, to: dataDirectory + "/rastro.conf", owner: account)
        try FileText.makeDirectory(home + "/log", owner: account)
        unlink(startLog)
        let log = open(startLog, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard log >= 0 else { throw FileText.failure("cannot write \(startLog)") }
        defer { close(log) }
        let command = account.command([installation.postgres, "-D", dataDirectory])
        return try ChildProcess.spawn(command, output: log)
    }

    /// Clears the way for ``launch()`` after a server that was killed: waits for its children to end, and deals with a
    /// process id that now belongs to another program. To be called only when no server runs here.
    package func clearLeftovers() throws {
        let deadline = ContinuousClock.now + Self.leftoversTimeout
        while !PostmasterFile.processes(in: dataDirectory).isEmpty, ContinuousClock.now < deadline { usleep(10_000) }
        try PostmasterFile.disown(in: dataDirectory, account: account)
        // The socket's own lock names the same process id. The directory is this cluster's alone.
        unlink("\(socketDirectory)/.s.PGSQL.\(ClusterAddress.port).lock")
    }

    /// Whether a server that ``launch()`` started takes connections.
    /// - Throws: ``EmbeddedPostgresError`` with `notReady` and its last messages when it has ended.
    package func isReady(_ server: ChildProcess) throws -> Bool {
        if let file = PostmasterFile(dataDirectory: dataDirectory), file.pid == server.pid, file.isReady { return true }
        guard let status = server.poll() else { return false }
        throw EmbeddedPostgresError(.notReady, "PostgreSQL ended with status \(status): \(startMessages())")
    }

    /// Waits until the server takes connections.
    /// - Throws: ``EmbeddedPostgresError`` with `notReady`.
    package func waitUntilReady(_ server: ChildProcess, timeout: Duration = startTimeout) throws {
        let deadline = ContinuousClock.now + timeout
        while try !isReady(server) {
            guard ContinuousClock.now < deadline else {
                throw EmbeddedPostgresError(.notReady, "PostgreSQL was not ready in \(timeout): \(startMessages())")
            }
            usleep(10_000)
        }
    }

    /// Makes the roles and the database, as far as they are missing.
    package func bootstrap() throws {
        try run(ClusterRoles.createRoles, database: "postgres")
        try createDatabase(address.database, template: nil)
    }

    /// Makes a database that belongs to the owner role and that the serving role may connect to, unless it is there.
    package func createDatabase(_ name: String, template: String?) throws {
        let found = try query(ClusterRoles.findDatabase(name), database: "postgres")
        if found.isEmpty {
            try run([ClusterRoles.createDatabase(name, template: template)], database: "postgres")
        }
        try run(ClusterRoles.grants(database: name), database: name)
    }

    /// Runs each statement in a transaction of its own, as the superuser.
    package func run(_ statements: [String], database: String) throws {
        try psql(statements, database: database)
    }

    /// Runs one statement as the superuser: its rows, one a line, columns separated by `|`.
    package func query(_ statement: String, database: String) throws -> String {
        try psql([statement], database: database)
    }

    /// Stops the server on this data directory if there is one: first `signal`, after `timeout` an immediate stop
    /// (recovered from at the next start). Returns whether one ran.
    @discardableResult
    package func stop(signal: Int32 = SIGINT, timeout: Duration = stopTimeout) -> Bool {
        guard let pid = PostmasterFile.serverPID(in: dataDirectory) else { return false }
        let server = ChildProcess(pid: pid)
        for (signal, limit) in [(signal, timeout), (SIGQUIT, .seconds(10)), (SIGKILL, .seconds(10))] {
            kill(pid, signal)
            let deadline = ContinuousClock.now + limit
            while ContinuousClock.now < deadline {
                _ = server.poll()
                guard PostmasterFile.runs(pid, on: dataDirectory) else { return true }
                usleep(5_000)
            }
        }
        return true
    }

    @discardableResult
    private func psql(_ statements: [String], database: String) throws -> String {
        var command = [
            installation.psql, "-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1",
            "-d", address.database(database).superuserConnectionString,
        ]
        for statement in statements { command += ["-c", statement] }
        return try ChildProcess.succeed(command, timeout: Self.statementTimeout)
    }

    private var startLog: String { home + "/log/start.log" }

    /// The server's last words: of its own log, once that is open, else of its standard error.
    private func startMessages() -> String {
        let logs = FileText.children(of: home + "/log").map { "\(home)/log/\($0)" }
        let lines = [startLog, FileText.newest(of: logs)].compactMap { $0 }
            .flatMap { FileText.end(of: $0).split(separator: "\n") }
        let telling = lines.filter { $0.contains("FATAL:") || $0.contains("PANIC:") || $0.contains("error:") }
        return (telling.isEmpty ? lines : telling).suffix(3).joined(separator: "; ")
    }

    /// Whoever can enter the socket's directory (mode 0700) may be any role: only the server's account and root can.
    private static let accessRules = """
        # TYPE  DATABASE     USER  ADDRESS  METHOD
        local   all          all            trust
        local   replication  all            trust

        """
}
