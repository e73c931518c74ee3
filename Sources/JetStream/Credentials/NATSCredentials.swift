import Catalog
import Foundation

/// How a client shows who it is.
package enum NATSCredentials: Sendable {
    case none
    case user(String, password: String)
    case token(String)
    /// The seed of a user's NKey that the server lists.
    case nkey(seed: String)
    /// The text of a `.creds` file: the user's JWT and the seed of its NKey.
    case file(String)

    /// Bytes of a `.creds` file at most.
    package static let fileLimitBytes = 64 * 1024

    /// What `CONNECT` says of it, signed where that is needed.
    func members(nonce: String?) throws(NATSError) -> [JSONMember] {
        switch self {
        case .none: return []
        case .user(let name, let password): return Self.members(["user": name, "pass": password])
        case .token(let token): return Self.members(["auth_token": token])
        case .nkey(let seed):
            let key = try NKey(seed: seed)
            return Self.members(["nkey": key.publicKey, "sig": try Self.signature(key, nonce)])
        case .file(let text):
            let (jwt, seed) = try Self.parts(ofFile: text)
            return Self.members(["jwt": jwt, "sig": try Self.signature(try NKey(seed: seed), nonce)])
        }
    }

    /// Finds out at start what would fail at every connection.
    package func check() throws(NATSError) {
        _ = try members(nonce: "nonce")
    }

    /// The text of a file that holds a secret, without white space around it.
    package static func read(_ path: String) throws(NATSError) -> String {
        guard let file = FileHandle(forReadingAtPath: path),
            let data = try? file.read(upToCount: fileLimitBytes + 1), data.count <= fileLimitBytes,
            let text = String(data: data, encoding: .utf8)?.trimmingCharacters(in: .whitespacesAndNewlines),
            !text.isEmpty
        else { throw NATSError(.invalidConfiguration, "the file \(path) cannot be read, or holds no text") }
        return text
    }

    private static func members(_ values: KeyValuePairs<String, String>) -> [JSONMember] {
        values.map { JSONMember(key: $0.key, value: .string($0.value)) }
    }

    private static func signature(_ key: NKey, _ nonce: String?) throws(NATSError) -> String {
        guard let nonce else {
            throw NATSError(.authenticationFailed, "the server gives no nonce: it does not know NKeys")
        }
        return try key.sign(nonce)
    }

    /// The JWT and the seed: each the line after a line of dashes that names it.
    static func parts(ofFile text: String) throws(NATSError) -> (jwt: String, seed: String) {
        let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
        func line(after title: String) -> String? {
            guard let at = lines.firstIndex(where: { $0.hasPrefix("-----BEGIN \(title)-----") }),
                lines.indices.contains(at + 1), !lines[at + 1].hasPrefix("-")
            else { return nil }
            return lines[at + 1]
        }
        guard text.utf8.count <= fileLimitBytes, let jwt = line(after: "NATS USER JWT"),
            let seed = line(after: "USER NKEY SEED")
        else { throw NATSError(.invalidConfiguration, "not a .creds file with a user's JWT and seed") }
        return (jwt, seed)
    }
}
