import Catalog
import EventLog
import Testing

@Suite("The server's secret")
struct ServerSecretTests {
    @Test("gives each key and each of its generations a secret of its own, always the same: 40 characters of base 64")
    func derivation() throws {
        let secret = try #require(ServerSecret(String(repeating: "a", count: 64)))
        let first = secret.secretAccessKey(of: "abcd2345", generation: 1)
        // HMAC-SHA256 by Python's hmac, base 64 of the first 30 bytes.
        #expect(first == "/YMNeC6+PWYkRGG5kKn9/6+A/6pqg2klL/+MZc01")
        #expect(first.utf8.count == 40)
        let others = [
            secret.secretAccessKey(of: "abcd2345", generation: 2),
            secret.secretAccessKey(of: "abcd2346", generation: 1),
            secret.secretAccessKey(of: "abcd23451", generation: 1),
            try #require(ServerSecret(String(repeating: "b", count: 64))).secretAccessKey(
                of: "abcd2345",
                generation: 1
            ),
        ]
        #expect(Set(others + [first]).count == 5)
    }

    @Test("access key ids are RASTROKEY and the key's id in upper case")
    func accessKeyIDs() {
        for _ in 0..<50 {
            let keyID = APIKeyText().keyID
            #expect(ServerSecret.keyID(ofAccessKey: ServerSecret.accessKeyID(of: keyID)) == keyID)
        }
        #expect(ServerSecret.accessKeyID(of: "abcd2345") == "RASTROKEYABCD2345")
        for id in [
            "AKIAABCD2345", "RASTROKEYabcd2345", "rastrokeyABCD2345", "RASTROKEY" + String(repeating: "A", count: 60),
        ] {
            #expect(ServerSecret.keyID(ofAccessKey: id) == nil, "\(id)")
        }
    }

    @Test("has 32 bytes or more, and a new one is never the same")
    func texts() {
        #expect(ServerSecret(String(repeating: "a", count: 31)) == nil)
        #expect(ServerSecret(String(repeating: "a", count: 4_097)) == nil)
        let texts = (0..<20).map { _ in ServerSecret.randomText() }
        #expect(Set(texts).count == 20)
        #expect(texts.allSatisfy { $0.utf8.count == 64 && Hexadecimal.decode(lowercase: Array($0.utf8)) != nil })
    }
}
