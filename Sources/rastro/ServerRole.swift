import ArgumentParser

/// What a server process does; any number of processes may share the work on one database.
enum ServerRole: String, CaseIterable, Sendable {
    /// Serves HTTP.
    case gateway
    /// Owns queues, or stands by to take them over.
    case relay
    /// Consumes the built-in queue; needs `relay` in the same process.
    case consumer

    /// Reads a comma-separated list.
    static func parse(list: String) throws -> Set<ServerRole> {
        var roles: Set<ServerRole> = []
        for part in list.split(separator: ",", omittingEmptySubsequences: false) {
            guard let role = ServerRole(rawValue: String(part)) else {
                let names = allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("'\(part)' is no role; there are \(names)")
            }
            roles.insert(role)
        }
        if roles.contains(.consumer), !roles.contains(.relay) {
            throw ValidationError("the consumer works in the process that owns its queue: add the role relay")
        }
        return roles
    }
}
