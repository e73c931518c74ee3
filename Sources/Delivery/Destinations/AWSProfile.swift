import Foundation
import SQSProtocol

/// Where AWS tools find credentials and settings: the environment, then `~/.aws/credentials` and `~/.aws/config`.
///
/// Not looked for: roles of machines and containers, single sign-on, `credential_process`.
struct AWSProfile: Sendable {
    /// Names and values as a process has them.
    let environment: [String: String]
    /// Named by the destination; nil: as `AWS_PROFILE` says, else `default`.
    let name: String?

    init(name: String?, environment: [String: String] = ProcessInfo.processInfo.environment) {
        self.name = name
        self.environment = environment
    }

    /// Read anew at each call: files may be rewritten while a server runs. Nil when there are none.
    ///
    /// A profile that the destination names goes before keys in the environment.
    func credentials() -> AccessKey? {
        if name == nil, let id = value("AWS_ACCESS_KEY_ID"), let secret = value("AWS_SECRET_ACCESS_KEY") {
            return AccessKey(id: id, secret: secret, sessionToken: value("AWS_SESSION_TOKEN"))
        }
        for section in [credentialsFile[profile], configFile[profile]] {
            guard let id = section?["aws_access_key_id"], let secret = section?["aws_secret_access_key"] else {
                continue
            }
            return AccessKey(id: id, secret: secret, sessionToken: section?["aws_session_token"])
        }
        return nil
    }

    var region: String? {
        value("AWS_REGION") ?? value("AWS_DEFAULT_REGION") ?? configFile[profile]?["region"]
    }

    var endpoint: String? {
        value("AWS_ENDPOINT_URL_SQS") ?? value("AWS_ENDPOINT_URL") ?? configFile[profile]?["endpoint_url"]
    }

    /// The profile's name, for messages.
    var profile: String { name ?? value("AWS_PROFILE") ?? value("AWS_DEFAULT_PROFILE") ?? "default" }

    private func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }

    private var credentialsFile: [String: [String: String]] {
        sections(value("AWS_SHARED_CREDENTIALS_FILE") ?? inHome("credentials"))
    }

    private var configFile: [String: [String: String]] {
        let sections = sections(value("AWS_CONFIG_FILE") ?? inHome("config"))
        return Dictionary(
            sections.map { ($0.key.hasPrefix("profile ") ? String($0.key.dropFirst(8)) : $0.key, $0.value) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    private func inHome(_ file: String) -> String { "\(value("HOME") ?? "")/.aws/\(file)" }

    /// Files larger than this are no such files.
    private static let fileLimit = 1 << 20

    private func sections(_ path: String) -> [String: [String: String]] {
        guard let bytes = FileManager.default.contents(atPath: path), bytes.count <= Self.fileLimit else { return [:] }
        return Self.parse(String(decoding: bytes, as: UTF8.self))
    }

    /// Sections of `name = value` lines; lines that are indented belong to the value above and are passed over.
    static func parse(_ text: String) -> [String: [String: String]] {
        var sections: [String: [String: String]] = [:]
        var section = ""
        for line in text.split(whereSeparator: \.isNewline) {
            let trimmed = line.trimmingCharacters(in: .whitespaces)
            if trimmed.isEmpty || trimmed.hasPrefix("#") || trimmed.hasPrefix(";") { continue }
            if trimmed.hasPrefix("["), let end = trimmed.firstIndex(of: "]") {
                let words = trimmed[trimmed.index(after: trimmed.startIndex)..<end].split(
                    whereSeparator: \.isWhitespace
                )
                section = words.joined(separator: " ")
                if sections[section] == nil { sections[section] = [:] }
                continue
            }
            guard line.first?.isWhitespace == false, let equals = trimmed.firstIndex(of: "=") else { continue }
            let name = trimmed[..<equals].trimmingCharacters(in: .whitespaces).lowercased()
            let value = trimmed[trimmed.index(after: equals)...].trimmingCharacters(in: .whitespaces)
            sections[section, default: [:]][name] = value
        }
        return sections
    }
}
