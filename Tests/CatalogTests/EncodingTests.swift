import Catalog
import Testing

/// Base 16 and base 64.
@Suite struct EncodingTests {
    @Test("base 64 agrees with RFC 4648 and refuses what no encoding has")
    func base64() {
        let pairs = [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("foobar", "Zm9vYmFy")]
        for (plain, encoded) in pairs {
            #expect(Base64URL.encode(Array(plain.utf8)) == encoded)
            #expect(Base64URL.decode(encoded) == Array(plain.utf8))
        }
        #expect(Base64URL.encode([0xfb, 0xff]) == "-_8")
        for wrong in ["Z", "Zh", "Zm9", "Zg==", "Zm+v", "Zm 9", "Zm9vY"] {
            #expect(Base64URL.decode(wrong) == nil, "\(wrong)")
        }
        for length in 0..<64 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ length) }
            #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
        }
    }

    @Test("every byte comes back from its two digits")
    func hexadecimal() {
        let digits = Array("0123456789abcdef".utf8)
        for byte in UInt8.min...UInt8.max {
            let text = [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            #expect(Hexadecimal.decode(lowercase: text) == [byte])
        }
        #expect(Hexadecimal.decode(lowercase: "".utf8) == [])
        #expect(Hexadecimal.decode(lowercase: "00ff7f".utf8) == [0, 255, 127])
        for wrong in ["0", "0g", "g0", "0A", "a0 ", "é"] {
            #expect(Hexadecimal.decode(lowercase: wrong.utf8) == nil, "\(wrong)")
        }
    }

    @Test("a digit is one of sixteen, in either case")
    func digits() {
        let known = (UInt8.min...UInt8.max).filter { Hexadecimal.value(ofDigit: $0) != nil }
        #expect(String(decoding: known, as: UTF8.self) == "0123456789ABCDEFabcdef")
        #expect(known.compactMap(Hexadecimal.value) == Array(0...9) + Array(10...15) + Array(10...15))
    }
}
