import Glibc

/// The directory that holds a cluster of ours: known by its marker, which names the cluster's identity and the data
/// directory that it belongs to.
struct ClusterHome: Hashable, Sendable {
    /// Absolute and without links.
    let path: String
    /// 16 random hexadecimal digits.
    let cluster: String

    private static let socketRoot = "/tmp"

    /// A home that is there. A data directory that was moved is followed; a copied one is refused, as two may not
    /// share one cluster.
    /// - Throws: ``EmbeddedPostgresError`` with `foreignDirectory` when Rastro did not make it, or not for this place.
    init(existing path: String, dataDirectory: DataDirectory, cluster expected: String?) throws {
        guard let marker = try Self.readMarker(in: path) else {
            throw EmbeddedPostgresError(.foreignDirectory, "\(path) holds something that Rastro did not make")
        }
        if let expected, marker.cluster != expected {
            let other = "\(path) holds cluster \(marker.cluster), not \(expected) of \(dataDirectory.statePath)"
            throw EmbeddedPostgresError(.foreignDirectory, other)
        }
        if marker.dataDirectory != dataDirectory.path {
            guard !DataDirectory.leads(marker.dataDirectory, to: path) else {
                let copy = "\(dataDirectory.path) is a copy of \(marker.dataDirectory), and both lead to one cluster"
                throw EmbeddedPostgresError(.foreignDirectory, copy)
            }
            try Self.writeMarker(marker.cluster, dataDirectory.path, in: path, owner: .owning(path))
        }
        self.path = path
        self.cluster = marker.cluster
        try checkData()
    }

    /// Makes the home, or takes on one that holds no data yet.
    init(making path: String, dataDirectory: DataDirectory, account: ServerAccount) throws {
        try FileText.makeDirectory(path, owner: account)
        let resolved = try FileText.resolved(path)
        let known = try Self.readMarker(in: resolved)
        guard known != nil || FileText.children(of: resolved).isEmpty else {
            throw EmbeddedPostgresError(.foreignDirectory, "\(resolved) holds something that Rastro did not make")
        }
        let digits = String(UInt64.random(in: 0 ... .max), radix: 16)
        let cluster = known?.cluster ?? String(repeating: "0", count: 16 - digits.count) + digits
        try Self.writeMarker(cluster, dataDirectory.path, in: resolved, owner: account)
        self.path = resolved
        self.cluster = cluster
    }

    var hasData: Bool { FileText.exists(path + "/data") }

    /// What the marker inside the data itself holds.
    var dataMarker: (name: String, text: String) { (DataDirectory.markerName, cluster + "\n") }

    /// The major version that made the data.
    func majorVersion() throws -> Int {
        let text = try FileText.read(path + "/data/PG_VERSION").prefix { !$0.isNewline }
        guard let version = Int(text) else {
            throw EmbeddedPostgresError(.fileSystem, "\(path)/data/PG_VERSION names no version: \(text)")
        }
        return version
    }

    /// A directory for the socket that only `account` and root can enter: `run`, or a short one when the path of that
    /// would be too long for a socket.
    func makeSocketDirectory(account: ServerAccount) throws -> String {
        let own = path + "/run"
        if own.utf8.count <= DataDirectory.socketDirectoryLimitBytes {
            try FileText.makeDirectory(own, owner: account)
            return own
        }
        for attempt in 0..<10 {
            let short = "\(Self.socketRoot)/rastro-\(DataDirectory.hash(path + "#\(attempt)"))"
            if mkdir(short, 0o700) == 0 {
                guard account.uid == geteuid() || chown(short, account.uid, account.gid) == 0 else {
                    throw FileText.failure("cannot hand \(short) to \(account.name)")
                }
                return short
            }
            var info = stat()
            // Anyone may make a directory in a shared place: only one of our account's, closed to others, will do.
            if lstat(short, &info) == 0, info.st_mode & S_IFMT == S_IFDIR, info.st_uid == account.uid,
                info.st_mode & 0o077 == 0
            {
                return short
            }
        }
        throw EmbeddedPostgresError(.fileSystem, "no directory for the socket could be made in \(Self.socketRoot)")
    }

    private func checkData() throws {
        guard hasData else { return }
        let marker = "\(path)/data/\(DataDirectory.markerName)"
        let text = FileText.exists(marker) ? try FileText.read(marker) : ""
        guard text == dataMarker.text else {
            throw EmbeddedPostgresError(.foreignDirectory, "\(path)/data is a cluster that Rastro did not make")
        }
    }

    private static func readMarker(in path: String) throws -> (cluster: String, dataDirectory: String)? {
        let marker = "\(path)/\(DataDirectory.markerName)"
        guard FileText.exists(marker) else { return nil }
        let lines = try FileText.read(marker).split(separator: "\n", maxSplits: 1)
        guard lines.count == 2, lines[0].count == 16 else { return nil }
        return (String(lines[0]), String(lines[1].last == "\n" ? lines[1].dropLast() : lines[1]))
    }

    private static func writeMarker(
        _ cluster: String,
        _ dataDirectory: String,
        in path: String,
        owner: ServerAccount
    ) throws {
        try FileText.write("\(cluster)\n\(dataDirectory)\n", to: "\(path)/\(DataDirectory.markerName)", owner: owner)
    }
}
