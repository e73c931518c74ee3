/// Why the private PostgreSQL cannot be made, started or used. `description` names the path concerned and what to do.
package struct EmbeddedPostgresError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable {
        /// No PostgreSQL that is new enough, or not the one that made the cluster.
        case notInstalled
        /// The process is root and no unprivileged account, or no `setpriv`, was found.
        case noAccount
        /// The directory holds something that Rastro did not make, or belongs to another data directory.
        case foreignDirectory
        /// A directory or file could not be made, read or written.
        case fileSystem
        /// A program could not be started, or ended with a failure.
        case commandFailed
        /// The server ended during its start, or was not ready in time.
        case notReady
        /// Another process supervises the cluster and did not let go of it, or did not get it ready, in time.
        case busy
        /// There is no cluster in this data directory.
        case absent
    }

    package let code: Code
    package let description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
