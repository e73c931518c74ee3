import Crypto
import EventLog

/// How messages are named outside.
enum MessageIdentity {
    /// The id of a message that is an event: the same whenever and by whomever it is received.
    ///
    /// The first 16 bytes of `SHA256("rastro/message/v1" ‖ 0x00 ‖ log source ‖ 0x00 ‖ replay ‖ ":" ‖ position)`, as a UUID
    /// of version 8 (RFC 9562, section 5.8).
    static func messageID(source: Int32, position: Int64, of logSource: String) -> UUIDv7 {
        let name = Array("rastro/message/v1".utf8) + [0] + Array("\(logSource)\0\(source):\(position)".utf8)
        var (high, low) = (UInt64(0), UInt64(0))
        for (index, byte) in SHA256.hash(data: name).prefix(16).enumerated() {
            if index < 8 { high = high << 8 | UInt64(byte) } else { low = low << 8 | UInt64(byte) }
        }
        return UUIDv7(high: high & ~0xf000 | 0x8000, low: low & ~(3 << 62) | 1 << 63)
    }

    /// 20 digits: 4 for the replay (0000 live, 9999 moved here from the dead letters), 16 for position or number.
    static func sequenceNumber(source: Int32, position: Int64) -> String {
        let digits = String(position)
        let prefix =
            switch source {
            case MessageSource.main: "0000"
            case MessageSource.moved: "9999"
            default: padded(String(source % 9_999), to: 4)
            }
        return prefix + padded(digits, to: 16)
    }

    /// What stands for a message group in the queue's state: 63 bits of its id's SHA-256. Two groups that met in one would
    /// only wait for each other.
    static func group(_ id: String) -> Int64 {
        let hash = SHA256.hash(data: Array(id.utf8)).prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Int64(hash >> 1)
    }

    private static func padded(_ digits: String, to count: Int) -> String {
        String(repeating: "0", count: max(0, count - digits.utf8.count)) + digits
    }
}
