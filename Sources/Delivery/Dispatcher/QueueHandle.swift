import Crypto

/// What deletes a message or changes its visibility, until it is given again.
package struct QueueHandle: Sendable, Hashable {
    /// The message source that gave it.
    let source: Int32
    package let receipt: ReceiptHandle

    init(source: Int32, receipt: ReceiptHandle) {
        self.source = source
        self.receipt = receipt
    }

    /// Nil unless `text(key:)` made it with the same key.
    init?(text: String, key: [UInt8]) {
        guard text.utf8.count > Self.sourceDigits, let source = UInt32(text.prefix(Self.sourceDigits), radix: 16),
            let receipt = ReceiptHandle(
                text: text.dropFirst(Self.sourceDigits),
                authenticatedBy: Self.authenticator(source, key: key)
            )
        else { return nil }
        self.source = Int32(bitPattern: source)
        self.receipt = receipt
    }

    /// 90 lower-case hexadecimal digits: the source, then the receipt with a MAC over both.
    func text(key: [UInt8]) -> String {
        let source = UInt32(bitPattern: source)
        let digits = String(source, radix: 16)
        return String(repeating: "0", count: Self.sourceDigits - digits.utf8.count) + digits
            + receipt.text(authenticatedBy: Self.authenticator(source, key: key))
    }

    private static let sourceDigits = 8

    private static func authenticator(_ source: UInt32, key: [UInt8]) -> ReceiptHandle.Authenticator {
        let prefix = withUnsafeBytes(of: source.bigEndian) { Array($0) }
        return { message in
            Array(HMAC<SHA256>.authenticationCode(for: prefix + message, using: SymmetricKey(data: key)).prefix(16))
        }
    }
}
