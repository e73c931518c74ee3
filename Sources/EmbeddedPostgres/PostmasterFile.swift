import Glibc

/// What a running server says of itself in `postmaster.pid`. The file outlives a killed server, and its process id may
/// by then belong to another program; see ``serverPID(in:)``.
struct PostmasterFile: Hashable, Sendable {
    let pid: pid_t
    /// Where its socket lies, nil as long as the file is not complete.
    let socketDirectory: String?
    /// Whether the server takes connections.
    let isReady: Bool

    /// No process has this id: Linux gives none above 4,194,304.
    private static let impossiblePID = 999_999_999

    /// The file's contents, nil when it is absent, unreadable or only half written.
    init?(dataDirectory: String) {
        guard let text = try? FileText.read(dataDirectory + "/postmaster.pid") else { return nil }
        self.init(text: text)
    }

    init?(text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let first = lines.first, let pid = pid_t(first), pid > 1 else { return nil }
        self.pid = pid
        self.socketDirectory = lines.count > 4 && !lines[4].isEmpty ? String(lines[4]) : nil
        self.isReady = lines.count > 7 && lines[7].hasPrefix("ready")
    }

    /// The process id of the server that really runs on this data directory, nil when none does.
    ///
    /// A server's working directory is its data directory, so a process id that was reused, or a file that was copied
    /// together with its directory, does not pass.
    static func serverPID(in dataDirectory: String) -> pid_t? {
        guard let file = PostmasterFile(dataDirectory: dataDirectory) else { return nil }
        return runs(file.pid, on: dataDirectory) ? file.pid : nil
    }

    /// Whether the process is a living server of this data directory.
    static func runs(_ pid: pid_t, on dataDirectory: String) -> Bool {
        guard let program = program(of: pid, in: dataDirectory) else { return false }
        return program.hasSuffix("/postgres") || program == "postgres"
    }

    /// Processes of PostgreSQL that are at work in the data directory: a server's children outlive it for a moment.
    static func processes(in dataDirectory: String) -> [pid_t] {
        FileText.children(of: "/proc").compactMap { pid_t($0) }.filter { pid in
            guard let program = program(of: pid, in: dataDirectory) else { return false }
            return program.hasSuffix("/postgres") || program.hasPrefix("postgres")
        }
    }

    /// Lets a new server start although the dead one's process id is taken, by another program or because nobody has
    /// waited for the dead process: the id in the file is replaced by an impossible one. The file itself stays, as the
    /// server finds what is left of the old one's shared memory by it. To be called only when no server runs here.
    static func disown(in dataDirectory: String, account: ServerAccount) throws {
        let path = dataDirectory + "/postmaster.pid"
        guard let file = PostmasterFile(dataDirectory: dataDirectory), kill(file.pid, 0) == 0,
            !runs(file.pid, on: dataDirectory)
        else { return }
        let rest = try FileText.read(path).drop { $0 != "\n" }
        try FileText.write("\(impossiblePID)\(rest)", to: path, owner: account)
    }

    /// The first word of the process's command line, nil unless its working directory is the data directory.
    private static func program(of pid: pid_t, in dataDirectory: String) -> String? {
        guard let place = FileText.linkTarget("/proc/\(pid)/cwd"),
            let wanted = try? FileText.resolved(dataDirectory), place == wanted,
            let command = try? FileText.read("/proc/\(pid)/cmdline")
        else { return nil }
        return String(command.prefix { $0 != "\0" })
    }
}
