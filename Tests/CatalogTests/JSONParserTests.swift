import Catalog
import Testing

@Suite struct JSONParserTests {
    @Test("keeps members in order and numbers as they were written")
    func keeps() throws {
        let text = #" {"b": [1.50, -0, 1E+2, true, false, null], "a": {"": "x\/\u00e9\ud83d\ude00"}} "#
        let value = try JSONParser.parse(text.utf8)
        let numbers: [JSONValue] = [.number("1.50"), .number("-0"), .number("1E+2")]
        let expected = JSONValue.object([
            JSONMember(key: "b", value: .array(numbers + [.bool(true), .bool(false), .null])),
            JSONMember(key: "a", value: .object([JSONMember(key: "", value: .string("x/é😀"))])),
        ])
        #expect(value == expected)
        #expect(value["a"]?[""] == .string("x/é😀"))
        #expect(value["c"] == nil)
    }

    @Test(
        "refuses what is no JSON, and says where",
        arguments: [
            ("", .empty, 0), ("  ", .empty, 2), ("{", .unexpectedEnd, 1), ("[1,", .unexpectedEnd, 3),
            ("[1,]", .unexpectedByte, 3), ("{\"a\":1,}", .unexpectedByte, 7), ("{a:1}", .unexpectedByte, 1),
            ("{\"a\" 1}", .unexpectedByte, 5), ("{} {}", .trailingBytes, 3), ("1 2", .trailingBytes, 2),
            ("nul", .unexpectedEnd, 3), ("nulL", .unexpectedByte, 3), ("True", .unexpectedByte, 0),
            ("01", .badNumber, 0), ("-", .unexpectedEnd, 1), ("-a", .badNumber, 1), ("1.", .unexpectedEnd, 2),
            ("[1.]", .badNumber, 3), ("1e", .unexpectedEnd, 2), ("+1", .unexpectedByte, 0),
            (".5", .unexpectedByte, 0), ("NaN", .unexpectedByte, 0), ("'a'", .unexpectedByte, 0),
            ("\"a", .unexpectedEnd, 2), ("\"\n\"", .controlCharacter, 1), ("\"\\n\u{1}\"", .controlCharacter, 3),
            ("\"\u{0}\"", .controlCharacter, 1), ("\"\\x\"", .badEscape, 1), ("\"\\u12G4\"", .badEscape, 5),
            ("\"\\ud800\"", .loneSurrogate, 1), ("\"\\udc00\"", .loneSurrogate, 1),
            ("\"\\ud800\\u0041\"", .loneSurrogate, 1), ("\"\\ud800x1\"", .loneSurrogate, 1),
            ("{\"a\":1,\"a\":2}", .duplicateKey, 7), ("{\"a\":1,\"\\u0061\":2}", .duplicateKey, 7),
            ("[{\"a\":{\"b\":1,\"b\":1}}]", .duplicateKey, 13), ("/**/1", .unexpectedByte, 0),
            ("\u{feff}1", .unexpectedByte, 0), ("[1 2]", .unexpectedByte, 3), ("]", .unexpectedByte, 0),
            ("{\"a\":}", .unexpectedByte, 5),
        ] as [(String, JSONError.Code, Int)]
    )
    func refuses(text: String, code: JSONError.Code, offset: Int) {
        let error = #expect(throws: JSONError.self) { try JSONParser.parse(text.utf8) }
        #expect(error?.code == code)
        #expect(error?.offset == offset)
    }

    @Test(
        "refuses invalid UTF-8, with and without escapes beside it",
        arguments: [
            [0xff], [0xc3], [0xc0, 0x80], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x80],
        ] as [[UInt8]]
    )
    func invalidUTF8(bytes: [UInt8]) {
        for prefix in ["", "ab", "\\n", "é"] {
            let document = Array("[\"\(prefix)".utf8) + bytes + Array("\"]".utf8)
            let error = #expect(throws: JSONError.self) { try JSONParser.parse(document) }
            #expect(error?.code == .invalidUTF8)
        }
    }

    @Test("canonically equivalent keys are two keys")
    func equivalentKeys() throws {
        let value = try JSONParser.parse("{\"\u{e9}\":1,\"e\u{301}\":2}".utf8)
        #expect(value["\u{e9}"] == .number("1"))
        #expect(value["e\u{301}"] == .number("2"))
    }

    @Test("an object with many members is still checked for duplicates, in little time")
    func manyMembers() throws {
        let members = (0..<20_000).map { "\"k\($0)\":\($0)" }
        let text = "{\(members.joined(separator: ","))}"
        #expect(try JSONParser.parse(text.utf8)["k19999"] == .number("19999"))
        let error = #expect(throws: JSONError.self) { try JSONParser.parse("\(text.dropLast()),\"k17\":0}".utf8) }
        #expect(error?.code == .duplicateKey)
    }

    @Test("64 levels are read, 65 are not")
    func depth() throws {
        func nested(_ levels: Int) -> [UInt8] {
            Array(repeating: UInt8(ascii: "["), count: levels) + Array(repeating: UInt8(ascii: "]"), count: levels)
        }
        _ = try JSONParser.parse(nested(64))
        let error = #expect(throws: JSONError.self) { try JSONParser.parse(nested(65)) }
        #expect(error?.code == .tooDeep)
        #expect(error?.message == "nested deeper than 64 levels, at byte 64")
        #expect(throws: JSONError.self) { try JSONParser.parse(nested(500_000)) }
    }

    @Test("reads slices from their own start")
    func slices() throws {
        let bytes = Array("xx[7]yy".utf8)
        #expect(try JSONParser.parse(bytes[2..<5]) == .array([.number("7")]))
    }

    @Test("what is written reads back the same, and no part of it is a document", arguments: 1...60)
    func roundTripAndTruncation(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let document = JSONValue.object([JSONMember(key: "k", value: random.json())])
        var writer = JSONWriter()
        writer.value(document)
        #expect(try JSONParser.parse(writer.bytes) == document, "seed \(seed)")
        for length in 0..<writer.bytes.count {
            #expect(throws: JSONError.self, "seed \(seed), length \(length)") {
                try JSONParser.parse(writer.bytes[..<length])
            }
        }
    }

    @Test("no byte soup traps, and what is accepted reads back the same", arguments: 1...20)
    func byteSoup(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("{}[]\",:\\u0d8e1.-+Etrfalsn \n".utf8) + [0, 0x7f, 0xc3, 0xa9, 0xff]
        for _ in 0..<3_000 {
            let soup = (0..<random.number(0...12)).map { _ in alphabet[random.number(0...alphabet.count - 1)] }
            guard let value = try? JSONParser.parse(soup) else { continue }
            var writer = JSONWriter()
            writer.value(value)
            #expect(try JSONParser.parse(writer.bytes) == value, "seed \(seed): \(soup)")
        }
    }
}
