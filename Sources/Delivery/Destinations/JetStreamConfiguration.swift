package import Catalog
import Foundation
import JetStream

/// A stream of NATS JetStream.
///
/// As JSON: `{"servers": ["nats://a:4222", "tls://b:4222"], "stream": "PRODUCTS", "subjectPrefix", "replicas",
/// "maxAgeSeconds", "duplicateWindowSeconds", "credentialsFile", "nkeySeedFile", "user", "passwordFile", "tokenFile",
/// "trustedCertificates", "after", "selectedAfter"}`, all but the first two optional. No secrets stand in it: they are read from files,
/// at every connection.
package struct JetStreamConfiguration: Sendable, Hashable {
    package var servers: [String]
    package var stream: String
    /// The first part of every subject; the stream takes `<prefix>.>`.
    package var subjectPrefix = "products"
    /// Of a stream that is made.
    package var replicas = 1
    /// How long a stream that is made keeps messages; nil: for ever.
    package var maxAgeSeconds: Int?
    /// How long a stream that is made knows a message's id again.
    package var duplicateWindowSeconds = 120
    package var credentialsFile: String?
    package var nkeySeedFile: String?
    package var user: String?
    package var passwordFile: String?
    package var tokenFile: String?
    /// A PEM file in place of the system's certificates.
    package var trustedCertificates: String?
    /// Where the destination began: the stream holds what was recorded after this position. Nil: not known.
    package var after: Int64?
    /// Where the filter was last changed: from this position on it is the present one. Nil: it never was.
    package var selectedAfter: Int64?

    /// The position after which the filter counts; nil: not known.
    var start: Int64? { selectedAfter ?? after }

    package init(servers: [String], stream: String) {
        self.servers = servers
        self.stream = stream
    }

    private static var texts: [(String, WritableKeyPath<Self, String?>)] {
        [
            ("credentialsFile", \.credentialsFile), ("nkeySeedFile", \.nkeySeedFile), ("user", \.user),
            ("passwordFile", \.passwordFile), ("tokenFile", \.tokenFile),
            ("trustedCertificates", \.trustedCertificates),
        ]
    }

    package var json: JSONValue {
        var members = [
            JSONMember(key: "servers", value: .array(servers.map { .string($0) })),
            JSONMember(key: "stream", value: .string(stream)),
            JSONMember(key: "subjectPrefix", value: .string(subjectPrefix)),
            JSONMember(key: "replicas", value: .integer(replicas)),
            JSONMember(key: "duplicateWindowSeconds", value: .integer(duplicateWindowSeconds)),
        ]
        if let maxAgeSeconds { members.append(JSONMember(key: "maxAgeSeconds", value: .integer(maxAgeSeconds))) }
        if let after { members.append(JSONMember(key: "after", value: .integer(after))) }
        if let selectedAfter {
            members.append(JSONMember(key: "selectedAfter", value: .integer(selectedAfter)))
        }
        for (key, path) in Self.texts {
            if let text = self[keyPath: path] { members.append(JSONMember(key: key, value: .string(text))) }
        }
        return .object(members)
    }

    init(json: JSONValue) throws(DestinationError) {
        guard case .array(let servers)? = json["servers"], case .string(let stream)? = json["stream"]
        else {
            throw DestinationError("the configuration has no servers or no stream")
        }
        self.init(
            servers: servers.map { if case .string(let text) = $0 { text } else { "" } },
            stream: stream
        )
        if case .string(let prefix)? = json["subjectPrefix"] { subjectPrefix = prefix }
        replicas = Self.number(json["replicas"]) ?? replicas
        duplicateWindowSeconds = Self.number(json["duplicateWindowSeconds"]) ?? duplicateWindowSeconds
        maxAgeSeconds = Self.number(json["maxAgeSeconds"])
        after = Self.number(json["after"]).map { Int64($0) }
        selectedAfter = Self.number(json["selectedAfter"]).map { Int64($0) }
        for (key, path) in Self.texts {
            if case .string(let text)? = json[key] { self[keyPath: path] = text }
        }
        if let fault { throw DestinationError(fault) }
    }

    private static func number(_ value: JSONValue?) -> Int? {
        guard case .number(let digits)? = value else { return nil }
        return Int(digits) ?? -1
    }

    /// What is wrong with it; nil when nothing is. Files are not looked at.
    package var fault: String? {
        guard 1...NATSConfiguration.serversLimit ~= servers.count else {
            return "one to 16 servers are needed"
        }
        guard servers.allSatisfy({ (try? NATSAddress(url: $0)) != nil }) else {
            return "a server is nats://host:port or tls://host:port, without a name or password"
        }
        guard StreamConfiguration.isName(stream) else {
            return "a stream's name has letters, digits, - and _ only"
        }
        guard OutgoingMessage.isSubject(subjectPrefix), !subjectPrefix.hasPrefix("$"),
            subjectPrefix.utf8.count <= 200
        else {
            return "the subject prefix is no NATS subject, or too long"
        }
        guard StreamConfiguration.replicasRange ~= replicas else {
            return "replicas is a number from 1 to 5"
        }
        guard 1...86_400 ~= duplicateWindowSeconds else {
            return "duplicateWindowSeconds is a number from 1 to 86400"
        }
        guard maxAgeSeconds.map({ $0 >= duplicateWindowSeconds }) ?? true else {
            return "maxAgeSeconds is not less than duplicateWindowSeconds"
        }
        guard [after, selectedAfter].allSatisfy({ $0 ?? 0 >= 0 }) else { return "after is a position" }
        guard (user == nil) == (passwordFile == nil) else {
            return "user and passwordFile belong together"
        }
        guard [credentialsFile, nkeySeedFile, user, tokenFile].compactMap(\.self).count <= 1 else {
            return "only one of credentialsFile, nkeySeedFile, user and tokenFile can be used"
        }
        return nil
    }
}

extension JetStreamConfiguration {
    /// How to connect now: secrets are read anew.
    func connection() throws(DestinationError) -> NATSConfiguration {
        if let fault { throw DestinationError(fault) }
        do throws(NATSError) {
            var addresses: [NATSAddress] = []
            for server in servers { addresses.append(try NATSAddress(url: server)) }
            return NATSConfiguration(
                servers: addresses,
                credentials: try credentials(),
                trustedCertificates: trustedCertificates
            )
        } catch { throw DestinationError(error.debugDescription) }
    }

    private func credentials() throws(NATSError) -> NATSCredentials {
        if let credentialsFile { return .file(try NATSCredentials.read(credentialsFile)) }
        if let nkeySeedFile { return .nkey(seed: try NATSCredentials.read(nkeySeedFile)) }
        if let tokenFile { return .token(try NATSCredentials.read(tokenFile)) }
        guard let user, let passwordFile else { return .none }
        return .user(user, password: try NATSCredentials.read(passwordFile))
    }

    func streamConfiguration() throws(DestinationError) -> StreamConfiguration {
        do throws(NATSError) {
            return try StreamConfiguration(
                name: stream,
                subjects: ["\(subjectPrefix).>"],
                replicas: replicas,
                duplicateWindow: .seconds(duplicateWindowSeconds),
                maximumAge: maxAgeSeconds.map { .seconds($0) }
            )
        } catch { throw DestinationError(error.debugDescription) }
    }
}
