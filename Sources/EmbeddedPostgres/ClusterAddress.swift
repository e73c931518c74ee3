/// Where a running cluster is reached, and as whom: libpq connection strings over its unix socket.
package struct ClusterAddress: Hashable, Sendable {
    /// Owns the tables; cannot log in.
    package static let ownerRole = "rastro_owner"
    /// What the server connects as.
    package static let servingRole = "rastro"
    /// The cluster's superuser, for maintenance.
    package static let superuserRole = "rastro_admin"
    package static let defaultDatabase = "rastro"
    static let port = 5432

    package let socketDirectory: String
    package let database: String

    package init(socketDirectory: String, database: String = defaultDatabase) {
        self.socketDirectory = socketDirectory
        self.database = database
    }

    /// As the serving role, which reads, appends and keeps projections.
    package var servingConnectionString: String { connectionString(user: Self.servingRole) }

    /// As the tables' owner: a superuser's session that has taken the owner's role on from its start. For migrations
    /// and other work on the schema.
    package var ownerConnectionString: String {
        connectionString(user: Self.superuserRole) + " options=" + Self.quoted("-c role=\(Self.ownerRole)")
    }

    /// As the superuser.
    package var superuserConnectionString: String { connectionString(user: Self.superuserRole) }

    /// The same cluster, another database.
    package func database(_ name: String) -> ClusterAddress {
        ClusterAddress(socketDirectory: socketDirectory, database: name)
    }

    private func connectionString(user: String) -> String {
        "host=\(Self.quoted(socketDirectory)) port=\(Self.port) dbname=\(Self.quoted(database)) user=\(user)"
    }

    /// A value of a connection string, quoted as libpq wants it.
    static func quoted(_ value: String) -> String {
        let escaped = value.flatMap { $0 == "'" || $0 == "\\" ? ["\\", $0] : [$0] }
        return "'" + String(escaped) + "'"
    }
}
