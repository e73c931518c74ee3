import Catalog
import SQSProtocol
import Testing

@Suite("Message attributes")
struct MessageAttributesTests {
    private static func text(_ name: String, _ value: String, type: String = "String")
        -> MessageAttribute
    {
        MessageAttribute(name: name, dataType: type, value: .text(value))
    }

    private static let jedi = MessageAttributes([
        text("Help.Me", "Me"), text("General", "Kenobi"), text("Hello", "There"),
    ])

    @Test("their MD5 is the real service's")
    func recorded() {
        #expect(Self.jedi.md5 == "4c360f3fdafd970e05fae2f149d997f5")
        #expect(MessageAttributes([Self.text("Foo", "Bar")]).md5 == "ae7155c6026991b6d54b11589678bf9c")
        let trace = Array(
            "traceparent\u{1e}00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01".utf8
        )
        let binary = MessageAttributes([
            MessageAttribute(name: "attr1", dataType: "Binary", value: .bytes(trace))
        ])
        #expect(binary.md5 == "8cbe4db156db8a94db8b801b7addb984")
        #expect(MessageAttributes().md5 == nil)
        #expect(Digest.md5(Array("msg".utf8)) == "6e2baaf3b97dbeef01c0043275f9a0e7")
    }

    @Test("a receiver's selection decides which are given, and their MD5 covers only those")
    func selections() {
        func md5(_ names: String...) -> String? { Self.jedi.selected(by: .init(names)).md5 }
        #expect(md5("All") == "4c360f3fdafd970e05fae2f149d997f5")
        #expect(md5(".*") == "4c360f3fdafd970e05fae2f149d997f5")
        #expect(md5("Hello", "General") == "fca026605781cb4126a1e9044df24232")
        #expect(md5("Hello", "Nothing") == "a311262e065454b75da111d535b8dacd")
        #expect(md5("Hel.*") == "83fee93c1bcd8b9a5a923ffacdc636c7")
        #expect(md5("Nothing") == nil)
        #expect(md5("hello") == nil)
        #expect(md5() == nil)
    }

    @Test("what is kept of them gives them back")
    func encoding() throws {
        let attributes = MessageAttributes([
            Self.text("n", "1.5e3", type: "Number.int"), Self.text("s", "☕"),
            MessageAttribute(name: "b", dataType: "Binary.png", value: .bytes([0, 255, 1])),
        ])
        #expect(try #require(MessageAttributes(encoded: attributes.encoded)) == attributes)
        #expect(try #require(MessageAttributes(encoded: [])).isEmpty)
        for count in 1..<attributes.encoded.count {
            let cut = Array(attributes.encoded.prefix(count))
            if let read = MessageAttributes(encoded: cut) { #expect(read.items.count < 3) }
        }
        #expect(MessageAttributes(encoded: [0xff, 0xff, 0xff, 0xff]) == nil)
        #expect(MessageAttributes(encoded: [0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0]) == nil)
    }

    private static func send(attributes: String) throws(SQSError) -> MessageAttributes {
        let body = #"{"QueueUrl": "q", "MessageBody": "m", "MessageAttributes": \#(attributes)}"#
        guard case .sendMessage(_, let message) = try SQSRequest(.sendMessage, body: Array(body.utf8))
        else {
            throw .internalFailure
        }
        return message.attributes
    }

    @Test("texts, numbers, bytes and labels of one's own are read")
    func read() throws {
        let attributes = try Self.send(
            attributes: """
                {"n": {"DataType": "Number.x", "StringValue": "-1.5E+3"}, "b": {"DataType": "Binary", "BinaryValue": "AP8="},
                 "a.b_c-1": {"DataType": "String.a", "StringValue": "x"}}
                """
        )
        #expect(attributes.items.map(\.name) == ["a.b_c-1", "b", "n"])
        #expect(attributes.items[1].value == .bytes([0, 255]))
        #expect(attributes.byteCount == 7 + 8 + 1 + 1 + 6 + 2 + 1 + 8 + 7)
        let json = String(decoding: attributes.json, as: UTF8.self)
        #expect(try Self.send(attributes: json) == attributes)
    }

    @Test(
        "what SQS refuses is refused",
        arguments: [
            #"{"AWS.x": {"DataType": "String", "StringValue": "x"}}"#,
            #"{"amazon.x": {"DataType": "String", "StringValue": "x"}}"#,
            #"{".x": {"DataType": "String", "StringValue": "x"}}"#,
            #"{"x.": {"DataType": "String", "StringValue": "x"}}"#,
            #"{"x..y": {"DataType": "String", "StringValue": "x"}}"#,
            #"{"x y": {"DataType": "String", "StringValue": "x"}}"#,
            #"{"": {"DataType": "String", "StringValue": "x"}}"#,
            "{\"\(String(repeating: "x", count: 257))\": {\"DataType\": \"String\", \"StringValue\": \"x\"}}",
            #"{"x": {"StringValue": "x"}}"#,
            #"{"x": {"DataType": "", "StringValue": "x"}}"#,
            #"{"x": {"DataType": "Strings", "StringValue": "x"}}"#,
            #"{"x": {"DataType": "string", "StringValue": "x"}}"#,
            #"{"x": {"DataType": "String", "StringValue": ""}}"#,
            #"{"x": {"DataType": "String", "BinaryValue": "AA=="}}"#,
            #"{"x": {"DataType": "String", "StringValue": "x", "BinaryValue": "AA=="}}"#,
            #"{"x": {"DataType": "String", "StringValue": "\u0001"}}"#,
            #"{"x": {"DataType": "Number", "StringValue": "1,5"}}"#,
            #"{"x": {"DataType": "Number", "StringValue": "1e127"}}"#,
            #"{"x": {"DataType": "Binary", "StringValue": "AA=="}}"#,
        ]
    )
    func refused(json: String) {
        #expect(throws: SQSError.self) { try Self.send(attributes: json) }
        let error = #expect(throws: SQSError.self) { try Self.send(attributes: json) }
        #expect(error?.code == "InvalidParameterValue")
    }

    @Test("ten are enough, and an empty value is refused in the real service's words")
    func limits() throws {
        func many(_ count: Int) -> String {
            "{"
                + (0..<count).map { #""a\#($0)": {"DataType": "String", "StringValue": "x"}"# }
                .joined(separator: ",") + "}"
        }
        #expect(try Self.send(attributes: many(10)).items.count == 10)
        let tooMany = #expect(throws: SQSError.self) { try Self.send(attributes: many(11)) }
        #expect(
            tooMany?.message == "Number of message attributes [11] exceeds the allowed maximum [10]."
        )
        let empty = #expect(throws: SQSError.self) {
            try Self.send(attributes: #"{"ErrorDetails": {"DataType": "String", "StringValue": ""}}"#)
        }
        #expect(
            empty?.message
                == "Message (user) attribute 'ErrorDetails' must contain a non-empty value of type 'String'."
        )
        let notBase64 = #expect(throws: SQSError.self) {
            try Self.send(attributes: #"{"x": {"DataType": "Binary", "BinaryValue": "AA="}}"#)
        }
        #expect(notBase64?.shape == "SerializationException")
    }

    @Test("numbers have 38 digits and 10^-128 to 10^126")
    func numbers() {
        func isAllowed(_ text: String) -> Bool {
            (try? Self.send(attributes: #"{"x": {"DataType": "Number", "StringValue": "\#(text)"}}"#))
                != nil
        }
        let digits = String(repeating: "1", count: 38)
        for text in [
            "0", "-0.0", "007", "+1", ".5", "5.", digits, "0.\(digits)", "9.9e126", "1e-128", "100e124",
        ] {
            #expect(isAllowed(text), "\(text)")
        }
        for text in [
            "", "-", ".", "e5", "1e", "1e+", "0x1", "1 ", "\(digits)1", "1e127", "1e-129", "NaN",
            "1e9999999999",
        ] {
            #expect(!isAllowed(text), "\(text)")
        }
    }

    @Test("base 64 goes there and back, and nothing else is read")
    func base64() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + count) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
        #expect(Base64.encode(Array("foob".utf8)) == "Zm9vYg==")
        #expect(Base64.encode([0xfb, 0xff]) == "+/8=")
        for text in ["Zg", "Zg=", "Zg===", "Zh==", "Z-==", "====", "Zm9vYg==\n"] {
            #expect(Base64.decode(text) == nil, "\(text)")
        }
    }
}
