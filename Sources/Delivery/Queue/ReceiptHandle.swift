/// Names one handing-out of one message. Its text bears a MAC, so that it can be neither guessed nor altered.
package struct ReceiptHandle: Sendable, Hashable {
    /// The first 16 bytes of an HMAC-SHA256 of the message, by a key that belongs to one queue only.
    package typealias Authenticator = (_ message: [UInt8]) -> [UInt8]

    package let lease: Int64
    /// The entry's index in the lease.
    package let index: Int
    package let group: Int64
    package let position: Int64

    private static let messageByteCount = 25
    private static let codeByteCount = 16

    package init(lease: Int64, index: Int, group: Int64, position: Int64) {
        self.lease = lease
        self.index = index
        self.group = group
        self.position = position
    }

    /// Nil unless `text` is a handle that `text(authenticatedBy:)` made with the same key. The MACs are compared in a
    /// time that does not depend on where they differ.
    package init?(text: some StringProtocol, authenticatedBy authenticator: Authenticator) {
        guard let bytes = Self.bytes(hexadecimal: text), bytes.count == Self.messageByteCount + Self.codeByteCount
        else {
            return nil
        }
        let message = Array(bytes[..<Self.messageByteCount])
        guard Self.areEqual(authenticator(message), bytes[Self.messageByteCount...]) else { return nil }
        lease = Self.integer(message[0..<8])
        group = Self.integer(message[8..<16])
        position = Self.integer(message[16..<24])
        index = Int(message[24])
    }

    /// 82 lower-case hexadecimal digits.
    package func text(authenticatedBy authenticator: Authenticator) -> String {
        var message: [UInt8] = []
        message.reserveCapacity(Self.messageByteCount)
        for number in [lease, group, position] {
            for shift in stride(from: 56, through: 0, by: -8) {
                message.append(UInt8(truncatingIfNeeded: number >> Int64(shift)))
            }
        }
        message.append(UInt8(truncatingIfNeeded: index))
        let digits = Array("0123456789abcdef".utf8)
        let bytes = message + authenticator(message).prefix(Self.codeByteCount)
        return String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
            for (place, byte) in bytes.enumerated() {
                buffer[2 * place] = digits[Int(byte >> 4)]
                buffer[2 * place + 1] = digits[Int(byte & 15)]
            }
            return bytes.count * 2
        }
    }

    private static func areEqual(_ left: [UInt8], _ right: ArraySlice<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private static func integer(_ bytes: ArraySlice<UInt8>) -> Int64 {
        Int64(bitPattern: bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }

    private static func bytes(hexadecimal text: some StringProtocol) -> [UInt8]? {
        let digits = Array(text.utf8.prefix(2 * (messageByteCount + codeByteCount) + 1))
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for place in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(ofDigit: digits[place]), let low = value(ofDigit: digits[place + 1]) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func value(ofDigit digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
