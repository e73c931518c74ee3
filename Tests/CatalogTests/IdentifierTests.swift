import Catalog
import Testing

@Suite struct IdentifierTests {
    @Test("a product id is 1 … 2^53 − 1")
    func productID() {
        #expect(ProductID(0) == nil)
        #expect(ProductID(-1) == nil)
        #expect(ProductID(.max) == nil)
        #expect(ProductID(9_007_199_254_740_992) == nil)
        #expect(ProductID(9_007_199_254_740_991)?.description == "9007199254740991")
        #expect(ProductID(1)?.rawValue == 1)
    }

    @Test(
        "a user id holds 1–128 characters without controls and formats",
        arguments: ["a", "ana", "José", "user@example.org", "ユーザー", "with space", String(repeating: "é", count: 128)]
    )
    func userID(text: String) {
        #expect(UserID(external: text)?.description == text)
        #expect(UserID(any: text)?.description == text)
    }

    @Test(
        "a malformed user id is refused, from wherever it comes",
        arguments: [
            "", "a\0", "a\nb", "\u{7f}", "a\u{85}", "a\u{200b}", "a\u{202e}b", "\u{feff}ana", "soft\u{ad}",
            String(repeating: "a", count: 129), String(repeating: "é", count: 129),
        ]
    )
    func malformedUserID(text: String) {
        #expect(UserID(external: text) == nil)
        #expect(UserID(any: text) == nil)
    }

    @Test("reserved prefixes are for the server alone", arguments: ["system:ttl", "role:postgres", "system:", "role:"])
    func reserved(text: String) {
        #expect(UserID(external: text) == nil)
        #expect(UserID(any: text)?.description == text)
        #expect(UserID(external: "x\(text)") != nil)
    }

    @Test("ids and codes are compared byte by byte, unlike Swift's strings")
    func bytes() {
        let (composed, decomposed) = ("\u{e9}", "e\u{301}")
        #expect(composed == decomposed)
        #expect(UserID(any: composed) != UserID(any: decomposed))
        #expect(ExactText(composed) != ExactText(decomposed))
        #expect(Set([ExactText(composed), ExactText(decomposed), ExactText("\u{e9}")]).count == 2)
        #expect(ExactText("Z") < ExactText("a"))
        #expect(ExactText(decomposed) < ExactText(composed))
    }
}
