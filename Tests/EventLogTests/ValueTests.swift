import Catalog
import Testing

@testable import EventLog

@Suite("Small values of the log")
struct ValueTests {
    @Test("a UUIDv7 bears its version, its variant and its time")
    func uuid() throws {
        let before = Timestamp.now().microseconds / 1_000
        let uuid = UUIDv7()
        let after = Timestamp.now().microseconds / 1_000
        #expect((before...after).contains(Int64(uuid.high >> 16)))
        #expect(uuid.high >> 12 & 0xf == 7)
        #expect(uuid.low >> 62 == 0b10)
        let parts = uuid.description.split(separator: "-")
        #expect(parts.map(\.count) == [8, 4, 4, 4, 12])
        let variant = try #require(parts[3].first)
        #expect(parts[2].first == "7" && "89ab".contains(variant))
        #expect(Set((0..<10_000).map { _ in UUIDv7() }).count == 10_000)
    }

    @Test("a UUID is written as RFC 9562 has it")
    func uuidText() {
        let uuid = UUIDv7(high: 0x017f_22e2_79b0_7cc3, low: 0x98c4_dc0c_0c07_398f)
        #expect(uuid.description == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
        #expect(UUIDv7(high: 0, low: .max).description == "00000000-0000-0000-ffff-ffffffffffff")
    }

    @Test("a traceparent goes in and comes out unchanged")
    func trace() throws {
        let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        let trace = try #require(TraceContext(header: header))
        #expect(trace.bytes.count == 25 && trace.bytes[0] == 0x0a && trace.bytes[24] == 1)
        #expect(trace.description == header)
        #expect(TraceContext(bytes: trace.bytes) == trace)
        #expect(TraceContext(bytes: Array(trace.bytes.dropLast())) == nil)
    }

    @Test(
        "what is no traceparent is refused",
        arguments: [
            "", "00", "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
            "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
        ]
    )
    func badTrace(header: String) {
        #expect(TraceContext(header: header) == nil)
    }

    @Test("a request label is 1 to 128 of letters, digits, dot, underscore and hyphen")
    func requestLabels() {
        #expect(RequestID(label: "Az09._-") == .label("Az09._-"))
        #expect(RequestID(label: String(repeating: "x", count: 128)) != nil)
        for bad in ["", String(repeating: "x", count: 129), "a b", "a/b", "é", "a\n", "a\0"] {
            #expect(RequestID(label: bad) == nil, "\(bad.debugDescription)")
        }
        let uuid = UUIDv7()
        #expect(RequestID.generated(uuid).description == uuid.description)
    }

    @Test("an API key's text comes back, and one that was mistyped anywhere does not")
    func keyText() throws {
        let key = APIKeyText()
        let text = key.text
        let read = try #require(APIKeyText(text))
        #expect(read.keyID == key.keyID && read.secret == key.secret && read.secretHash == key.secretHash)
        #expect(text.utf8.count == 6 + 1 + 8 + 1 + 38 && key.secretHash.count == 32)
        for index in text.indices {
            var typo = text
            typo.replaceSubrange(index...index, with: text[index] == "b" ? "c" : "b")
            #expect(APIKeyText(typo) == nil, "\(text.distance(from: text.startIndex, to: index))")
        }
        for bad in ["", "rastro", "rastro__", String(text.dropLast()), text + "a", " " + text, text.uppercased()] {
            #expect(APIKeyText(bad) == nil, "\(bad)")
        }
    }

    @Test("a rotated key keeps its id and changes its secret")
    func rotatedKey() {
        let first = APIKeyText()
        let second = APIKeyText(keyID: first.keyID)
        #expect(second.keyID == first.keyID && second.secret != first.secret && second.text != first.text)
    }

    @Test(
        "the commitment to a user is SHA-256 over the context, the key and the id",
        arguments: [
            ("ana", "49fd639a5d6c0b9f01c619f224913ca712e17e6e7596dfdd0327e283495d670e"),
            ("Zoë", "8f1768585e0738a692b5eb32a12a0f1c3be87b586f7b50db435d12b751e543e6"),
        ]
    )
    func commitment(user: String, expected: String) throws {
        let userID = try #require(UserID(any: user))
        let commitment = ActorCommitment(userID: userID, key: Array(0..<32))
        let hex = commitment.actor.map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }
        #expect(hex.joined() == expected)
        let (one, two) = (ActorCommitment(userID: userID), ActorCommitment(userID: userID))
        #expect(one.key != two.key && one.actor != two.actor && one.key.count == 32)
    }

    @Test("scopes are read from a list, and an unknown one is named")
    func scopes() throws {
        #expect(try Scope.parse(list: "products:read, audit:read") == [.productsRead, .auditRead])
        let error = #expect(throws: UnknownScope.self) { try Scope.parse(list: "products:read,root") }
        #expect(error?.name == "root")
    }
}
