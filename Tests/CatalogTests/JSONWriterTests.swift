import Catalog
import Testing

@Suite struct JSONWriterTests {
    @Test("escapes only what RFC 8785 escapes, as it does")
    func escapes() {
        var writer = JSONWriter()
        writer.string("\u{0}\u{8}\t\n\u{c}\r\u{1f}\"\\/\u{7f}é\u{2028}😀<")
        #expect(text(writer) == "\"\\u0000\\b\\t\\n\\f\\r\\u001f\\\"\\\\/\u{7f}é\u{2028}😀<\"")
    }

    @Test("places commas by itself")
    func commas() {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("a", "x")
        writer.member("b", nil as String?)
        writer.member("c", 5)
        writer.key("d")
        writer.beginArray()
        writer.integer(.min)
        writer.integer(0)
        writer.beginObject()
        writer.endObject()
        writer.beginArray()
        writer.endArray()
        writer.bool(true)
        writer.endArray()
        writer.key(named: "e\"")
        writer.value(.object([JSONMember(key: "f", value: .number("1.50")), JSONMember(key: "g", value: .null)]))
        writer.member("h", raw: Array("[1]".utf8))
        writer.member("i", false)
        writer.endObject()
        let expected =
            #"{"a":"x","b":null,"c":5,"d":[-9223372036854775808,0,{},[],true],"e\"":{"f":1.50,"g":null},"h":[1],"i":false}"#
        #expect(text(writer) == expected)
    }

    @Test("writes prices and times as their descriptions", arguments: 1...5)
    func descriptions(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let (price, time) = (random.price(), random.time())
            var writer = JSONWriter()
            writer.beginArray()
            writer.price(price)
            writer.timestamp(time)
            writer.endArray()
            #expect(text(writer) == "[\(price),\"\(time)\"]", "seed \(seed)")
        }
    }

    private func text(_ writer: JSONWriter) -> String { String(decoding: writer.bytes, as: UTF8.self) }
}
