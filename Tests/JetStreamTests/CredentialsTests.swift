import Catalog
import Testing

@testable import JetStream

@Suite("Credentials")
struct CredentialsTests {
    // Made with the nkeys library's own scheme: RFC 8032's first test key as a user's seed.
    private static let seedBytes: [UInt8] = [
        0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
        0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
    ]

    @Test("base 32 as RFC 4648 has it, without padding")
    func base32() {
        let vectors = ["": "", "f": "MY", "fo": "MZXQ", "foo": "MZXW6", "foob": "MZXW6YQ", "fooba": "MZXW6YTB"]
        for (plain, coded) in vectors {
            #expect(Base32.encode(Array(plain.utf8)) == coded)
            #expect(Base32.decode(coded) == Array(plain.utf8))
        }
        for bad in ["M", "MZ", "my", "M1", "MY======"] { #expect(Base32.decode(bad) == nil, "\(bad)") }
    }

    @Test("the checksum is CRC-16/XMODEM")
    func checksum() { #expect(NKey.checksum(Array("123456789".utf8)[...]) == 0x31c3) }

    @Test("a seed is read back as it was written, and says whose it is")
    func seed() throws {
        for (kind, letters) in [(NKey.Kind.user, "SU"), (.account, "SA"), (.operatorKey, "SO")] {
            let key = try NKey(kind, seedBytes: Self.seedBytes)
            #expect(key.seed.hasPrefix(letters) && key.seed.count == 58)
            #expect(key.publicKey.first == letters.last && key.publicKey.count == 56)
            let read = try NKey(seed: key.seed)
            #expect(read.kind == kind && read.publicKey == key.publicKey)
        }
        // From the nkeys documentation: a seed and its public key.
        let known = try NKey(seed: "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY")
        #expect(known.publicKey == "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4")
    }

    @Test("a damaged seed is refused before it is used")
    func damaged() throws {
        let seed = try NKey(.user, seedBytes: Self.seedBytes).seed
        for bad in [String(seed.dropLast()), seed + "A", seed.lowercased(), "", "S" + seed.dropFirst(2) + "A"] {
            #expect(throws: NATSError.self) { try NKey(seed: bad) }
        }
        var letters = Array(seed)
        letters[20] = letters[20] == "A" ? "B" : "A"
        #expect(throws: NATSError.self) { try NKey(seed: String(letters)) }
        #expect(throws: NATSError.self) { try NKey(seed: NKey(.user, seedBytes: Self.seedBytes).publicKey) }
    }

    @Test("a .creds file gives its JWT and seed; others are refused")
    func file() throws {
        let seed = try NKey(.user, seedBytes: Self.seedBytes).seed
        let text = """
            -----BEGIN NATS USER JWT-----
            eyJ0eXAi.payload.signature
            ------END NATS USER JWT------

            ************************* IMPORTANT *************************
            -----BEGIN USER NKEY SEED-----
            \(seed)
            ------END USER NKEY SEED------
            """
        for text in [text, text.replacing("\n", with: "\r\n")] {
            let parts = try NATSCredentials.parts(ofFile: text)
            #expect(parts.jwt == "eyJ0eXAi.payload.signature" && parts.seed == seed)
        }
        let members = try NATSCredentials.file(text).members(nonce: "abc")
        #expect(members.map(\.key) == ["jwt", "sig"])
        for bad in ["", seed, text.replacing("NATS USER JWT", with: "JWT"), text.replacing(seed + "\n", with: "")] {
            #expect(throws: NATSError.self) { try NATSCredentials.file(bad).check() }
        }
        #expect(throws: NATSError.self) { try NATSCredentials.nkey(seed: seed).members(nonce: nil) }
    }

    @Test("an address is nats:// or tls:// with host and port, and holds no secret")
    func addresses() throws {
        #expect(try NATSAddress(url: "nats://a.example") == NATSAddress(host: "a.example"))
        let tls = try NATSAddress(url: "tls://[::1]:5222")
        #expect(
            tls == NATSAddress(host: "::1", port: 5_222, requiresTLS: true) && tls.description == "tls://[::1]:5222"
        )
        for bad in [
            "", "a", "http://a", "nats://", "nats://u:p@a", "nats://t@a", "nats://a/b", "nats://a?b", "nats://a:0",
        ] {
            #expect(throws: NATSError.self, "\(bad)") { try NATSAddress(url: bad) }
        }
    }
}
