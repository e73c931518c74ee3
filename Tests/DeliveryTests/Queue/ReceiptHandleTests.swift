import Testing

@testable import Delivery

struct ReceiptHandleTests {
    private static let handle = ReceiptHandle(lease: 1 << 40, index: 9, group: 0, position: .max)

    /// Not a MAC, but different for different messages and keys, and as long as one.
    private static func authenticator(key: UInt8) -> ReceiptHandle.Authenticator {
        { message in
            (0..<16).map { place in message.reduce(key &+ UInt8(place)) { ($0 &* 31) ^ $1 } }
        }
    }

    @Test func aHandleComesBackFromItsText() {
        let text = Self.handle.text(authenticatedBy: Self.authenticator(key: 1))
        #expect(text.utf8.count == 82)
        #expect(ReceiptHandle(text: text, authenticatedBy: Self.authenticator(key: 1)) == Self.handle)
    }

    @Test func aHandleOfAnotherKeyIsRefused() {
        let text = Self.handle.text(authenticatedBy: Self.authenticator(key: 1))
        #expect(ReceiptHandle(text: text, authenticatedBy: Self.authenticator(key: 2)) == nil)
    }

    @Test func anAlterationOfAnyDigitIsRefused() {
        let text = Self.handle.text(authenticatedBy: Self.authenticator(key: 1))
        for place in text.indices {
            var altered = text
            altered.replaceSubrange(place...place, with: text[place] == "0" ? "1" : "0")
            #expect(ReceiptHandle(text: altered, authenticatedBy: Self.authenticator(key: 1)) == nil)
        }
    }

    @Test(arguments: ["", "0", "zz", String(repeating: "0", count: 82), String(repeating: "0", count: 1_000), "é"])
    func whatIsNoHandleIsRefused(text: String) {
        #expect(ReceiptHandle(text: text, authenticatedBy: Self.authenticator(key: 1)) == nil)
    }

    @Test func upperCaseDigitsAreRefused() {
        let text = Self.handle.text(authenticatedBy: Self.authenticator(key: 1)).uppercased()
        #expect(ReceiptHandle(text: text, authenticatedBy: Self.authenticator(key: 1)) == nil)
    }
}
