internal import CLibPQ

/// How to reach a server and what a session sets there.
///
/// Whatever the connection string states explicitly wins over the defaults here, but not over `applicationName` and
/// `options`.
package struct ConnectionConfiguration: Sendable {
    /// A PostgreSQL URL or keyword string; several hosts and `target_session_attrs` are libpq's to follow.
    package var url: String
    /// The name shown in `pg_stat_activity`.
    package var applicationName: String
    /// Settings of the session, sent with the connection's start: `("statement_timeout", "5s")`.
    package var options: [(name: String, value: String)]
    /// The longest wait for one host to accept and authenticate; libpq knows whole seconds and at least two.
    package var connectTimeout: Duration
    /// The longest silence of the server while a statement's answer is awaited; nil waits as long as it takes.
    /// After it the connection counts as lost. Not on an encrypted connection, where the settings below must do.
    /// It must exceed the session's `statement_timeout`.
    package var responseLimit: Duration?
    /// An idle peer is probed after this time, then thrice, and the connection counts as lost.
    package var keepaliveIdle: Duration
    package var keepaliveInterval: Duration
    package var keepaliveCount: Int
    /// How long sent data may stay unacknowledged before the connection counts as lost.
    package var tcpUserTimeout: Duration

    package init(
        url: String,
        applicationName: String = "rastro",
        options: [(name: String, value: String)] = [],
        connectTimeout: Duration = .seconds(5),
        responseLimit: Duration? = nil,
        keepaliveIdle: Duration = .seconds(5),
        keepaliveInterval: Duration = .seconds(2),
        keepaliveCount: Int = 3,
        tcpUserTimeout: Duration = .seconds(10)
    ) {
        self.url = url
        self.applicationName = applicationName
        self.options = options
        self.connectTimeout = connectTimeout
        self.responseLimit = responseLimit
        self.keepaliveIdle = keepaliveIdle
        self.keepaliveInterval = keepaliveInterval
        self.keepaliveCount = keepaliveCount
        self.tcpUserTimeout = tcpUserTimeout
    }
}

extension ConnectionConfiguration {
    /// Where it leads, without the password: `user@host:port/database`.
    package var redactedDescription: String {
        guard let stated = try? statedKeywords() else { return "(connection string that cannot be parsed)" }
        let host = stated["host"] ?? stated["hostaddr"] ?? "(default host)"
        let port = stated["port"].map { ":" + $0 } ?? ""
        let user = stated["user"].map { $0 + "@" } ?? ""
        return user + host + port + "/" + (stated["dbname"] ?? "")
    }

    /// The user that the string states; nil leaves it to libpq.
    package var user: String? { (try? statedKeywords())?["user"] }

    /// The keywords for libpq: what the string states, over our defaults.
    func keywords() throws(PostgresError) -> [String: String] {
        let stated = try statedKeywords()
        var keywords = [
            "connect_timeout": String(max(2, connectTimeout.roundedUpToSeconds)),
            "keepalives": "1",
            "keepalives_idle": String(keepaliveIdle.roundedUpToSeconds),
            "keepalives_interval": String(keepaliveInterval.roundedUpToSeconds),
            "keepalives_count": String(keepaliveCount),
            "gssencmode": "disable",
            "tcp_user_timeout": String(tcpUserTimeout.milliseconds),
        ]
        keywords.merge(stated) { $1 }
        keywords["application_name"] = applicationName
        keywords["client_encoding"] = "UTF8"
        let settings = options.map { "-c " + Self.escape($0.name + "=" + $0.value) }
        let all = ([stated["options"]].compactMap(\.self) + settings).joined(separator: " ")
        if !all.isEmpty { keywords["options"] = all }
        return keywords
    }

    /// In `options` spaces separate and backslashes escape.
    private static func escape(_ text: String) -> String {
        var escaped = ""
        for character in text {
            if character == " " || character == "\\" { escaped.append("\\") }
            escaped.append(character)
        }
        return escaped
    }

    /// libpq's own parse. Its message is dropped, since it may quote the password.
    private func statedKeywords() throws(PostgresError) -> [String: String] {
        var message: UnsafeMutablePointer<CChar>?
        guard !url.utf8.contains(0), let options = PQconninfoParse(url, &message) else {
            PQfreemem(message)
            throw PostgresError(.invalidConfiguration, "the connection string cannot be parsed")
        }
        defer { PQconninfoFree(options) }
        var keywords: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { keywords[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return keywords
    }
}

extension Duration {
    var roundedUpToSeconds: Int64 { components.seconds + (components.attoseconds > 0 ? 1 : 0) }

    /// Whole milliseconds, rounded up.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    }

    /// Milliseconds as `poll` takes them, at least 0.
    var pollTimeout: Int32 { Int32(clamping: Swift.max(0, milliseconds)) }
}
