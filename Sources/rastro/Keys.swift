import ArgumentParser
import Catalog
import EventLog
import LibPQ

struct Keys: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make, list, rotate and revoke API keys.",
        subcommands: [Create.self, List.self, Revoke.self, Rotate.self]
    )

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a key; its text is shown once.")

        @OptionGroup var options: DatabaseOptions

        @Option(help: "The key's owner, who acts when nobody else is named.")
        var user: String

        @Option(help: "Comma-separated: \(Scope.allCases.map(\.rawValue).joined(separator: ", ")).")
        var scopes: String

        @Option(help: "When the key ends, RFC 3339.")
        var expires: String?

        func run() async throws {
            guard let owner = UserID(external: user) else {
                throw Failure(.usage, "'\(user)' is no user id: 1-128 characters, not starting with system: or role:")
            }
            let wanted: Set<Scope>
            do { wanted = try Scope.parse(list: scopes) } catch { throw Failure(.usage, error.description) }
            guard !wanted.isEmpty else { throw Failure(.usage, "name at least one scope") }
            let expiresAt = try expires.map { text in
                guard let time = Timestamp(rfc3339: text), time > .now() else {
                    throw Failure(.usage, "--expires wants an RFC 3339 time to come, such as 2027-01-31T00:00:00Z")
                }
                return time
            }
            let logger = options.makeLogger()
            let (issued, secret) = try await options.withDatabase(logger: logger) { database in
                let access = EventLogAccess(database: database, logger: logger)
                let context = try access.commandContext()
                let secret = try database.serverSecret()
                let issued = try await access.withLog { log in
                    try await KeyAdministration(log: log, context: context)
                        .create(owner: owner, scopes: wanted, expiresAt: expiresAt)
                }
                return (issued, secret)
            }
            options.show(issued, secret: secret, user: user, scopes: wanted, expiresAt: expiresAt)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List all keys, revoked ones too.")

        @OptionGroup var options: DatabaseOptions

        func run() async throws {
            let logger = options.makeLogger()
            try await options.withDatabase(logger: logger) { database in
                let session = try EventLogAccess(database: database, logger: logger).ownerSession()
                defer { session.close() }
                for key in try KeyAdministration.list(session) { show(key) }
            }
        }

        private func show(_ key: KeyAdministration.Listed) {
            let now = Timestamp.now()
            let state =
                key.revokedAt != nil ? "revoked" : key.expiresAt.map { $0 <= now } ?? false ? "expired" : "active"
            guard options.json else {
                Terminal.print(
                    "\(key.keyID)  \(state)  \(key.userID ?? "(erased)")  \(key.scopes.joined(separator: ","))"
                )
                return
            }
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("id", key.keyID)
            writer.member("userId", key.userID)
            writer.member("scopes", .array(key.scopes.map(JSONValue.string)))
            writer.member("plan", key.plan)
            writer.member("createdAt", key.createdAt)
            writer.member("expiresAt", key.expiresAt)
            writer.member("revokedAt", key.revokedAt)
            writer.endObject()
            Terminal.print(writer.bytes)
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a key at once: no event by it follows the revocation's."
        )

        @OptionGroup var options: DatabaseOptions

        @Argument(help: "The key's public id.")
        var id: String

        func run() async throws {
            let logger = options.makeLogger()
            let position = try await options.withDatabase(logger: logger) { database in
                let access = EventLogAccess(database: database, logger: logger)
                let context = try access.commandContext()
                return try await access.withLog { log in
                    try await KeyAdministration(log: log, context: context).revoke(id)
                }
            }
            guard let position else { throw Failure(.wrong, "there is no active key '\(id)'") }
            Terminal.print(options.json ? #"{"id":"\#(id)","position":\#(position)}"# : "revoked \(id) at \(position)")
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Give a key a new secret; the old one ends at once.")

        @OptionGroup var options: DatabaseOptions

        @Argument(help: "The key's public id.")
        var id: String

        func run() async throws {
            let logger = options.makeLogger()
            let (issued, secret) = try await options.withDatabase(logger: logger) { database in
                let access = EventLogAccess(database: database, logger: logger)
                let context = try access.commandContext()
                let secret = try database.serverSecret()
                let issued = try await access.withLog { log in
                    try await KeyAdministration(log: log, context: context).rotate(id)
                }
                return (issued, secret)
            }
            guard let issued else { throw Failure(.wrong, "there is no active key '\(id)'") }
            options.show(issued, secret: secret, user: nil, scopes: nil, expiresAt: nil)
        }
    }
}

extension DatabaseOptions {
    fileprivate func show(
        _ issued: KeyAdministration.Issued,
        secret: ServerSecret?,
        user: String?,
        scopes: Set<Scope>?,
        expiresAt: Timestamp?
    ) {
        let accessKeyID = secret.map { _ in ServerSecret.accessKeyID(of: issued.keyID) }
        let secretAccessKey = secret?.secretAccessKey(of: issued.keyID, generation: issued.generation)
        if secret == nil { Terminal.note(ServerSecretFile.absence) }
        guard json else {
            Terminal.print("id:  \(issued.keyID)\nkey: \(issued.text)")
            if let accessKeyID, let secretAccessKey {
                Terminal.print("AWS_ACCESS_KEY_ID:     \(accessKeyID)\nAWS_SECRET_ACCESS_KEY: \(secretAccessKey)")
            }
            Terminal.note("The key is shown this once; only a hash of it is kept.")
            return
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("id", issued.keyID)
        writer.member("key", issued.text)
        writer.member("awsAccessKeyId", accessKeyID)
        writer.member("awsSecretAccessKey", secretAccessKey)
        if let user { writer.member("userId", user) }
        if let scopes {
            writer.member("scopes", .array(scopes.map { .string($0.rawValue) }.sorted { "\($0)" < "\($1)" }))
        }
        if let expiresAt { writer.member("expiresAt", expiresAt) }
        writer.member("position", issued.position)
        writer.endObject()
        Terminal.print(writer.bytes)
    }
}
