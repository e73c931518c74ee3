import Foundation

/// What `cluster.json` holds: enough for any command to reach the cluster. Written once the cluster is whole, so its
/// presence means that there is data.
struct ClusterState: Codable, Hashable, Sendable {
    struct Roles: Codable, Hashable, Sendable {
        var serving = ClusterAddress.servingRole
        var owner = ClusterAddress.ownerRole
        var superuser = ClusterAddress.superuserRole
    }

    /// The cluster's identity, as in its markers.
    var cluster: String
    var home: String
    var socketDirectory: String
    var database: String
    var roles = Roles()

    init(cluster: String, home: String, address: ClusterAddress) {
        self.cluster = cluster
        self.home = home
        self.socketDirectory = address.socketDirectory
        self.database = address.database
    }

    /// The state in the file, nil when there is none.
    /// - Throws: ``EmbeddedPostgresError`` with `fileSystem` when it cannot be read or understood.
    init?(path: String) throws {
        guard FileText.exists(path) else { return nil }
        let text = try FileText.read(path)
        do {
            self = try JSONDecoder().decode(ClusterState.self, from: Data(text.utf8))
        } catch {
            throw EmbeddedPostgresError(.fileSystem, "\(path) is not a state file of Rastro: \(error)")
        }
    }

    func write(to path: String, owner: ServerAccount) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(self), as: UTF8.self)
        try FileText.write(text + "\n", to: path, owner: owner)
    }
}
