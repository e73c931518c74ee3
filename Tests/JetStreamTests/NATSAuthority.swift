import Catalog

@testable import JetStream

/// An operator with one account, whose users come with JWTs; nothing of it is ever used twice.
struct NATSAuthority {
    private let operatorKey: NKey
    private let account: NKey
    private let system: NKey

    init() throws(NATSError) {
        operatorKey = try NKey(.operatorKey, seedBytes: Self.seed())
        account = try NKey(.account, seedBytes: Self.seed())
        system = try NKey(.account, seedBytes: Self.seed())
    }

    private static func seed() -> [UInt8] { (0..<NKey.seedLengthBytes).map { _ in UInt8.random(in: 0 ... .max) } }

    /// The server trusts the operator and knows the account.
    var serverOptions: String {
        get throws(NATSError) {
            let operatorToken = try token(operatorKey.publicKey, by: operatorKey, #"{"type":"operator","version":2}"#)
            let limits = ["subs", "data", "payload", "imports", "exports", "conn", "leaf"]
                .map { "\"\($0)\":-1" }.joined(separator: ",")
            let plain = #"{"type":"account","version":2,"limits":{\#(limits),"wildcards":true}}"#
            let storage = #""mem_storage":-1,"disk_storage":-1,"streams":-1,"consumer":-1"#
            let streaming = #"{"type":"account","version":2,"limits":{\#(limits),\#(storage),"wildcards":true}}"#
            let accountToken = try token(account.publicKey, by: operatorKey, streaming)
            let systemToken = try token(system.publicKey, by: operatorKey, plain)
            return """
                operator: "\(operatorToken)"
                resolver: MEMORY
                system_account: \(system.publicKey)
                resolver_preload: { \(account.publicKey): "\(accountToken)", \(system.publicKey): "\(systemToken)" }
                """
        }
    }

    /// The text of a new user's `.creds` file.
    func credentials() throws(NATSError) -> String {
        let user = try NKey(.user, seedBytes: Self.seed())
        let claims = #"{"type":"user","version":2,"subs":-1,"data":-1,"payload":-1}"#
        return """
            -----BEGIN NATS USER JWT-----
            \(try token(user.publicKey, by: account, claims))
            ------END NATS USER JWT------
            -----BEGIN USER NKEY SEED-----
            \(user.seed)
            ------END USER NKEY SEED------
            """
    }

    private func token(_ subject: String, by issuer: NKey, _ claims: String) throws(NATSError) -> String {
        let header = NKey.base64URL(Array(#"{"typ":"JWT","alg":"ed25519-nkey"}"#.utf8))
        let body = """
            {"jti":"test","iat":1600000000,"iss":"\(issuer.publicKey)","name":"test","sub":"\(subject)","nats":\(claims)}
            """
        let signed = header + "." + NKey.base64URL(Array(body.utf8))
        return signed + "." + (try issuer.sign(signed))
    }
}
