import NIOCore
import Testing

@testable import JetStream

@Suite("ClientOperation")
struct ClientOperationTests {
    private func bytes(_ operation: ClientOperation) -> String {
        var buffer = ByteBuffer()
        operation.write(into: &buffer)
        return String(buffer: buffer)
    }

    @Test("writes each operation as the protocol has it")
    func operations() {
        #expect(bytes(.ping) == "PING\r\n")
        #expect(bytes(.pong) == "PONG\r\n")
        #expect(bytes(.connect(Array("{}".utf8))) == "CONNECT {}\r\n")
        #expect(bytes(.subscribe(subject: "a.*", subscription: "1")) == "SUB a.* 1\r\n")
        #expect(bytes(.unsubscribe(subscription: "1")) == "UNSUB 1\r\n")
        let plain = OutgoingMessage(subject: "a.b", payload: Array("hello".utf8))
        #expect(bytes(.publish(plain, reply: nil)) == "PUB a.b 5\r\nhello\r\n")
        #expect(bytes(.publish(plain, reply: "r")) == "PUB a.b r 5\r\nhello\r\n")
        let headers = OutgoingMessage(subject: "a", headers: NATSHeaders(["A": "b", "C": ""]), payload: [0x21])
        #expect(bytes(.publish(headers, reply: "r")) == "HPUB a r 23 24\r\nNATS/1.0\r\nA: b\r\nC: \r\n\r\n!\r\n")
    }

    @Test("a subject has no wildcard, space or empty part")
    func subjects() {
        for subject in ["a", "a.b-c.5", "$JS.API.INFO"] { #expect(OutgoingMessage.isSubject(subject)) }
        for subject in ["", ".", "a.", ".a", "a..b", "a b", "a.*", "a.>", "a\r\nPUB b 0", "é", "a\tb"] {
            #expect(!OutgoingMessage.isSubject(subject), "\(subject)")
        }
        #expect(!OutgoingMessage.isSubject(String(repeating: "x", count: 1_025)))
    }

    @Test("a message with forged headers, or longer than the server takes, is refused")
    func checks() {
        func code(_ headers: NATSHeaders, limit: Int = 100) -> NATSError.Code? {
            do throws(NATSError) {
                try OutgoingMessage(subject: "a", headers: headers, payload: [1, 2]).check(payloadLimitBytes: limit)
                return nil
            } catch { return error.code }
        }
        #expect(code(["A": "b"]) == nil)
        #expect(code(["A": "b\r\nC: d"]) == .invalidRequest)
        #expect(code(["A:": "b"]) == .invalidRequest)
        #expect(code(["": "b"]) == .invalidRequest)
        #expect(code(["A": "b"], limit: 10) == .payloadTooLarge)
    }
}

extension NATSHeaders: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, String)...) {
        self.init()
        for (name, value) in elements { add(name, value) }
    }
}
