import EmbeddedPostgres
import EventLog
import Foundation
import Glibc

/// Where the server's secret lies: `RASTRO_SECRET_FILE`, or beside the embedded database's admin key; never inside a
/// database, and in no backup.
struct ServerSecretFile: Sendable {
    let path: String

    private static let variable = "RASTRO_SECRET_FILE"

    /// Nil when a database is named by its URL and no file is: then there are no AWS key pairs.
    init?(dataDirectory: String?, environment: [String: String] = ProcessInfo.processInfo.environment) {
        if let named = environment[Self.variable], !named.isEmpty {
            path = named
        } else if let dataDirectory {
            path = dataDirectory + "/server-secret"
        } else {
            return nil
        }
    }

    /// What a command says when there is no file.
    static let absence = "no AWS key pair: with a database URL it needs \(variable), the same file as the server's"

    static let noWebhooks = "no webhooks: with a database URL they need \(variable), the same file as the server's"

    func read() throws -> ServerSecret {
        var info = stat()
        guard stat(path, &info) == 0 else {
            throw Failure(.unreachable, "cannot read the server's secret \(path): \(String(cString: strerror(errno)))")
        }
        guard info.st_mode & S_IFMT == S_IFREG, info.st_mode & 0o037 == 0 else {
            throw Failure(
                .usage,
                "\(path) holds the server's secret: it must be a file that others can neither read nor change (chmod 600)"
            )
        }
        var text = try FileText.read(path)
        while text.last?.isNewline ?? false { text.removeLast() }
        guard let secret = ServerSecret(text) else {
            let counts = ServerSecret.byteCounts
            throw Failure(.usage, "\(path) must hold \(counts.lowerBound) to \(counts.upperBound) bytes")
        }
        return secret
    }

    /// Reads the secret, made now if there is none. Of several that make it at once one wins, and all read that one.
    func readOrMake() throws -> ServerSecret {
        guard !FileText.exists(path) else { return try read() }
        let draft = "\(path).new-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try FileText.write(ServerSecret.randomText() + "\n", to: draft, mode: 0o600)
        defer { unlink(draft) }
        guard link(draft, path) == 0 || errno == EEXIST else {
            throw Failure(.unreachable, "cannot write \(path): \(String(cString: strerror(errno)))")
        }
        return try read()
    }
}

extension Database {
    /// The secret as commands reach it; nil when no file is named.
    func serverSecret() throws -> ServerSecret? {
        guard let file = ServerSecretFile(dataDirectory: dataDirectory) else { return nil }
        return dataDirectory == nil ? try file.read() : try file.readOrMake()
    }
}
