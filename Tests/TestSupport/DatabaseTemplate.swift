package import EmbeddedPostgres

/// A database that is prepared once a test process, such as by migrations, and then copied for each suite.
package struct DatabaseTemplate: Sendable {
    /// Letters, digits and underscores; the same name means the same contents.
    let name: String
    let prepare: @Sendable (ClusterAddress) async throws -> Void

    /// - Parameter prepare: fills the empty database at the address; it must close its connections.
    package init(name: String, prepare: @escaping @Sendable (ClusterAddress) async throws -> Void) {
        self.name = name
        self.prepare = prepare
    }
}
