#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A UUID of version 7 (RFC 9562): 48 bits of Unix milliseconds, then 74 random bits.
package struct UUIDv7: Sendable, Hashable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    /// A UUID as read back; any version.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A new one of this moment.
    package init() {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let milliseconds = UInt64(now.tv_sec) * 1_000 + UInt64(now.tv_nsec) / 1_000_000
        let random = RandomWords.next()
        high = milliseconds << 16 | 0x7000 | (random & 0x0fff)
        low = 0x8000_0000_0000_0000 | (RandomWords.next() >> 2)
    }

    package var description: String {
        String(unsafeUninitializedCapacity: 36) { buffer in
            var at = 0
            for nibble in 0..<32 {
                if nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20 {
                    buffer[at] = UInt8(ascii: "-")
                    at += 1
                }
                let word = nibble < 16 ? high : low
                let value = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * (nibble & 15))) & 0xf
                buffer[at] = value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
                at += 1
            }
            return at
        }
    }
}
