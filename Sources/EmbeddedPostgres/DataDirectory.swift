import Glibc

/// Rastro's data directory (`.rastro`) as far as the cluster is concerned: where things lie, and whose they are.
///
/// - `cluster.json`: see ``ClusterState``
/// - `cluster.lock`: held by the process that supervises the cluster
/// - `cluster.users`: held, shared, by every process that uses the cluster
/// - `postgres`: the cluster's home (`data`, `run`, `log`), or, as root, a link to it under ``systemRoot``
///
/// Home and `data` each hold a file `rastro-cluster` with the cluster's identity, looked at before anything is touched.
struct DataDirectory: Sendable {
    static let markerName = "rastro-cluster"
    /// Where a data directory's cluster lies when its own place may be closed to the account that runs PostgreSQL.
    static let defaultSystemRoot = "/var/lib/rastro"
    /// A unix socket's path has at most 107 bytes; this is what its file name leaves.
    static let socketDirectoryLimitBytes = 107 - "/.s.PGSQL.\(ClusterAddress.port)".utf8.count

    /// Absolute and without links.
    let path: String
    let systemRoot: String

    var statePath: String { path + "/cluster.json" }
    var lockPath: String { path + "/cluster.lock" }
    var usersPath: String { path + "/cluster.users" }
    private var homeEntry: String { path + "/postgres" }

    /// Opens the directory; makes it when `create`.
    /// - Throws: ``EmbeddedPostgresError``: `absent` when it is not there, `foreignDirectory` when it is a cluster itself.
    init(path: String, systemRoot: String, create: Bool) throws {
        if create {
            try FileText.makeDirectory(path)
        } else if !FileText.isDirectory(path) {
            throw EmbeddedPostgresError(.absent, "there is no data directory \(path)")
        }
        self.path = try FileText.resolved(path)
        guard access(self.path, R_OK | W_OK | X_OK) == 0 else {
            throw FileText.failure("cannot use the data directory \(self.path)")
        }
        self.systemRoot = systemRoot
        if FileText.exists(self.path + "/PG_VERSION") {
            throw EmbeddedPostgresError(
                .foreignDirectory,
                "\(self.path) is a PostgreSQL cluster that Rastro did not make: name a directory of Rastro's own"
            )
        }
    }

    /// The home of an existing cluster, nil when there is none yet.
    /// - Throws: ``EmbeddedPostgresError`` with `foreignDirectory` or `fileSystem`.
    func existingHome() throws -> ClusterHome? {
        let state = try ClusterState(path: statePath)
        guard FileText.isDirectory(homeEntry) else {
            guard state == nil, FileText.linkTarget(homeEntry) == nil, !FileText.exists(homeEntry) else {
                throw EmbeddedPostgresError(
                    .fileSystem,
                    "the cluster of \(path) is gone: \(homeEntry) is not a directory. "
                        + "Put it back, or remove \(path) to start anew"
                )
            }
            return nil
        }
        let home = try FileText.resolved(homeEntry)
        if state == nil, FileText.linkTarget(homeEntry) == nil, FileText.children(of: home).isEmpty { return nil }
        return try ClusterHome(existing: home, dataDirectory: self, cluster: state?.cluster)
    }

    /// Makes the home of a cluster to come.
    func makeHome(account: ServerAccount) throws -> ClusterHome {
        guard account.switcher != nil else {
            return try ClusterHome(making: homeEntry, dataDirectory: self, account: account)
        }
        // Root: the first place that holds no data. One that does was left when its data directory was removed.
        let base = "\(systemRoot)/\(Self.hash(path))"
        for attempt in 1...100 {
            let place = attempt == 1 ? base : "\(base)-\(attempt)"
            if FileText.exists(place + "/data") { continue }
            let home = try ClusterHome(making: place, dataDirectory: self, account: account)
            rmdir(homeEntry)
            guard symlink(home.path, homeEntry) == 0 else {
                throw FileText.failure("cannot make the link \(homeEntry)")
            }
            return home
        }
        throw EmbeddedPostgresError(.fileSystem, "\(base) and 99 more hold clusters of removed data directories")
    }

    /// Who owns the directory itself; what is written into it is handed to them.
    func owner() throws -> ServerAccount {
        var info = stat()
        guard stat(path, &info) == 0 else { throw FileText.failure("cannot inspect \(path)") }
        return ServerAccount(name: "uid \(info.st_uid)", uid: info.st_uid, gid: info.st_gid, switcher: nil)
    }

    /// Whether this directory still leads to `home`.
    static func leads(_ path: String, to home: String) -> Bool {
        (try? FileText.resolved(path + "/postgres")) == home
    }

    /// 64-bit FNV-1a in hexadecimal: a short name for a path, not a secret.
    static func hash(_ text: String) -> String {
        let value = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
