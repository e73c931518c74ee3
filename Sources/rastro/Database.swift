import EmbeddedPostgres
import LibPQ

/// The database that a command works with.
struct Database: Sendable {
    /// As the serving role.
    let servingURL: String
    /// As the owner of the tables.
    let ownerURL: String
    /// The serving role's name, when it is not the owner.
    let servingRole: String?
    /// Where the embedded database lies; nil for another.
    let dataDirectory: String?
    /// For messages; never with a password.
    let description: String

    init(embedded address: ClusterAddress, directory: String) {
        servingURL = address.servingConnectionString
        ownerURL = address.ownerConnectionString
        servingRole = ClusterAddress.servingRole
        dataDirectory = directory
        description = "the embedded database in \(directory)"
    }

    init(url: String, ownerURL: String?) {
        servingURL = url
        self.ownerURL = ownerURL ?? url
        let serving = ConnectionConfiguration(url: url)
        servingRole = ownerURL == nil ? nil : serving.user
        dataDirectory = nil
        description = serving.redactedDescription
    }
}
