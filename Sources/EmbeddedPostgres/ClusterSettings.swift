import Glibc

/// The part of a cluster's configuration that Rastro decides, bounded to the machine.
package struct ClusterSettings: Hashable, Sendable {
    package enum Durability: Hashable, Sendable {
        /// Every commit reaches the disk before it is answered.
        case full
        /// Nothing is synced: for data that is thrown away, as in tests.
        case none
    }

    package var durability: Durability
    package var maxConnections: Int
    package var sharedBuffersBytes: Int
    package var cacheBytes: Int
    package var maxWALBytes: Int
    package var logDirectory: String?

    private static let mebibyte = 1024 * 1024
    private static let gibibyte = 1024 * mebibyte

    /// For data that is kept in `directory`: an eighth of the memory for buffers (128 MiB to 4 GiB), and room for WAL
    /// (1 to 8 GiB, at most a tenth of the free disk), so that checkpoints are rare.
    package static func durable(in directory: String, logDirectory: String) -> ClusterSettings {
        let memory = memoryBytes()
        return ClusterSettings(
            durability: .full,
            maxConnections: 200,
            sharedBuffersBytes: clamp(memory / 8, 128 * mebibyte, 4 * gibibyte),
            cacheBytes: max(memory / 2, 256 * mebibyte),
            maxWALBytes: clamp(freeBytes(in: directory) / 10, gibibyte, 8 * gibibyte),
            logDirectory: logDirectory
        )
    }

    /// For a cluster that lives as long as a test process.
    package static let throwAway = ClusterSettings(
        durability: .none,
        maxConnections: 300,
        sharedBuffersBytes: 128 * mebibyte,
        cacheBytes: gibibyte,
        maxWALBytes: gibibyte,
        logDirectory: nil
    )

    /// The configuration file's text.
    func fileText(socketDirectory: String) -> String {
        let synced = durability == .full
        var lines = [
            "# Written by Rastro at each start: changes made here are lost.",
            "listen_addresses = ''",
            "port = \(ClusterAddress.port)",
            "unix_socket_directories = \(Self.quoted(socketDirectory))",
            "unix_socket_permissions = 0700",
            "max_connections = \(maxConnections)",
            "shared_buffers = \(sharedBuffersBytes / Self.mebibyte)MB",
            "effective_cache_size = \(cacheBytes / Self.mebibyte)MB",
            "wal_level = replica",
            "wal_compression = on",
            "min_wal_size = \(maxWALBytes / 2 / Self.mebibyte)MB",
            "max_wal_size = \(maxWALBytes / Self.mebibyte)MB",
            "checkpoint_timeout = 15min",
            "checkpoint_completion_target = 0.9",
            // The queues' tables turn over within seconds; the default looks once a minute.
            "autovacuum_naptime = 5s",
            "fsync = \(synced ? "on" : "off")",
            "full_page_writes = \(synced ? "on" : "off")",
            "synchronous_commit = on",
            "jit = off",
            "timezone = 'UTC'",
            "log_timezone = 'UTC'",
            "lc_messages = 'C'",
            "log_line_prefix = '%m [%p] %u@%d '",
            "log_min_messages = warning",
            "log_checkpoints = off",
            // Statements and details can hold user ids, which may stand nowhere but in the database.
            "log_min_error_statement = panic",
            "log_error_verbosity = terse",
        ]
        if let logDirectory {
            lines += [
                "logging_collector = on",
                "log_directory = \(Self.quoted(logDirectory))",
                "log_filename = 'postgres-%a.log'",
                "log_rotation_age = 1d",
                "log_rotation_size = 0",
                "log_truncate_on_rotation = on",
            ]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A value of postgresql.conf, quoted.
    private static func quoted(_ value: String) -> String {
        "'" + value.replacing("\\", with: "\\\\").replacing("'", with: "''") + "'"
    }

    private static func clamp(_ value: Int, _ least: Int, _ most: Int) -> Int { min(max(value, least), most) }

    /// The machine's memory, or the control group's limit when that is lower.
    private static func memoryBytes() -> Int {
        let machine = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
        let limit = (try? FileText.read("/sys/fs/cgroup/memory.max")).flatMap { text in
            Int(text.prefix { $0.isNumber })
        }
        return min(machine, limit ?? machine)
    }

    private static func freeBytes(in directory: String) -> Int {
        var info = statvfs()
        guard statvfs(directory, &info) == 0 else { return 0 }
        return Int(clamping: UInt64(info.f_bavail) * UInt64(info.f_frsize))
    }
}
