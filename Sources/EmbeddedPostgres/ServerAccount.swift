package import Glibc

/// The operating system's account that PostgreSQL runs under. PostgreSQL refuses to run as root.
package struct ServerAccount: Hashable, Sendable {
    package let name: String
    package let uid: uid_t
    package let gid: gid_t
    /// The path of `setpriv`, when the account is not the one that this process runs under.
    let switcher: String?

    /// The accounts that root may hand the server to, best first.
    static let unprivilegedNames = ["postgres", "nobody"]
    static let switcherPaths = ["/usr/bin/setpriv", "/bin/setpriv", "/usr/local/bin/setpriv"]

    /// The account for this process: its own, or an unprivileged one when it is root.
    /// - Throws: ``EmbeddedPostgresError`` with `noAccount`.
    package static func forThisProcess() throws -> ServerAccount {
        let uid = geteuid()
        guard uid == 0 else {
            return ServerAccount(name: "uid \(uid)", uid: uid, gid: getegid(), switcher: nil)
        }
        let switcher = try findSwitcher()
        for name in unprivilegedNames {
            if let entry = lookUp(name), entry.uid != 0 {
                return ServerAccount(name: name, uid: entry.uid, gid: entry.gid, switcher: switcher)
            }
        }
        throw EmbeddedPostgresError(
            .noAccount,
            "PostgreSQL does not run as root, and there is no account named "
                + unprivilegedNames.joined(separator: " or ")
        )
    }

    /// The account that owns an existing directory of a cluster, which must be this process's own unless it is root.
    /// - Throws: ``EmbeddedPostgresError`` with `noAccount`.
    package static func owning(_ directory: String) throws -> ServerAccount {
        var info = stat()
        guard stat(directory, &info) == 0 else { throw FileText.failure("cannot inspect \(directory)") }
        let name = "uid \(info.st_uid)"
        if info.st_uid == geteuid() && info.st_uid != 0 {
            return ServerAccount(name: name, uid: info.st_uid, gid: info.st_gid, switcher: nil)
        }
        guard geteuid() == 0, info.st_uid != 0 else {
            throw EmbeddedPostgresError(.noAccount, "\(directory) belongs to \(name), which cannot run it")
        }
        return ServerAccount(name: name, uid: info.st_uid, gid: info.st_gid, switcher: try findSwitcher())
    }

    private static func findSwitcher() throws -> String {
        if let path = switcherPaths.first(where: { access($0, X_OK) == 0 }) { return path }
        throw EmbeddedPostgresError(
            .noAccount,
            "PostgreSQL does not run as root, and setpriv (package util-linux) is missing"
        )
    }

    /// `command`, led by what is needed to run it under this account, in a working directory that this account may
    /// enter. The process keeps its id.
    package func command(_ command: [String]) -> [String] {
        guard let switcher else { return command }
        return ["/bin/sh", "-c", "cd / && exec \"$0\" \"$@\"", switcher]
            + ["--reuid=\(uid)", "--regid=\(gid)", "--init-groups", "--inh-caps=-all", "--"] + command
    }

    private static func lookUp(_ name: String) -> (uid: uid_t, gid: gid_t)? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16 * 1024)
        guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        return (entry.pw_uid, entry.pw_gid)
    }
}
