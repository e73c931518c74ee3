import Catalog
import Testing

@Suite struct ProductFieldsTests {
    private let good = ProductFields(code: "COD5", name: "Desk", model: "D-1", price: .zero)

    @Test("lengths count Unicode scalars and end exactly at their limits")
    func lengths() {
        var fields = good
        fields.code = String(repeating: "😀", count: 64)
        fields.name = String(repeating: "e\u{301}", count: 100)
        fields.model = String(repeating: "ñ", count: 200)
        fields.url = "https://e/" + String(repeating: "x", count: 2_038)
        #expect(fields.faults.isEmpty)
        fields.code += "x"
        fields.name += "x"
        fields.model += "x"
        fields.url? += "x"
        #expect(fields.faults.map(\.pointer) == ["/code", "/name", "/model", "/url"])
        #expect(fields.faults.allSatisfy { $0.code == .tooLong })
    }

    @Test("code and name must hold something, model need not")
    func empty() {
        var fields = good
        (fields.code, fields.name, fields.model, fields.url) = ("", "", "", "")
        #expect(fields.faults.map(\.pointer) == ["/code", "/name", "/url"])
        #expect(fields.faults.allSatisfy { $0.code == .empty })
    }

    @Test("U+0000 is refused in every text")
    func nul() {
        var fields = good
        (fields.code, fields.name, fields.model, fields.url) = ("a\0", "\0", "\0b", "http://a/\0")
        #expect(fields.faults.map(\.code) == [.nul, .nul, .nul, .nul])
    }

    @Test(
        "http(s) URLs with a host pass",
        arguments: [
            "http://example.org", "https://example.org/", "HTTPS://EXAMPLE.ORG/a?b=c#d", "http://localhost:8080/x",
            "http://127.0.0.1", "http://[::1]:80/", "http://user:pw@example.org/", "https://example.org?q=[1]",
            "https://пример.рф/путь", "http://a:", "http://a/@b:c", "https://example.org/~x/%20",
        ]
    )
    func urls(url: String) {
        var fields = good
        fields.url = url
        #expect(fields.faults.isEmpty)
    }

    @Test(
        "anything else does not",
        arguments: [
            "example.org", "//example.org", "ftp://example.org", "javascript:alert(1)", "http:", "http:/a", "http://",
            "https:///path", "http://?q", "http://#f", "http://:80", "http://user@", "http://user@:80", "http://a:b",
            "http://a:65536", "http://a:99999999999999999999", "http://[]", "http://[::1", "http://[::1]x",
            "http://a]b/", "http://a b", "http://a/\n", " http://a", "http://a/ ", "http://a/<script>", "http://a/\"",
            "http://a\\b",
            "http://a/\u{7f}", "http://a/\u{85}", "http://a/\u{2028}", "http://a/\u{202e}", "http://a/\u{3000}",
            "httpx://a",
        ]
    )
    func badURLs(url: String) {
        var fields = good
        fields.url = url
        #expect(fields.faults.map(\.pointer) == ["/url"])
        #expect(fields.faults.map(\.code) == [.format])
    }

    @Test("fields with canonically equivalent texts are not equal")
    func exact() {
        var other = good
        other.name = "e\u{301}"
        var fields = good
        fields.name = "\u{e9}"
        #expect(fields != other)
        #expect(FieldChange.between(fields, other) == [.name(from: "\u{e9}", to: "e\u{301}")])
    }
}
