import Crypto
import Foundation

/// An Ed25519 key as NATS writes it: base 32 of prefix, key and CRC16.
///
/// Source: NATS ADR-6 and ADR-14, nkeys' `strkey.go`. A seed's two prefix bytes hold `S` and the kind of key in five-bit
/// groups; the CRC is XMODEM's, little-endian.
struct NKey: Sendable {
    enum Kind: UInt8, Sendable {
        case operatorKey = 0x70
        case account = 0x00
        case user = 0xa0
    }

    private static let seedPrefix: UInt8 = 0x90
    static let seedLengthBytes = 32

    let kind: Kind
    private let key: Curve25519.Signing.PrivateKey

    /// - Parameter seed: The text that begins with `SU`, `SA` or `SO`.
    init(seed: String) throws(NATSError) {
        guard let bytes = Base32.decode(seed), bytes.count == 2 + Self.seedLengthBytes + 2 else {
            throw NATSError(.invalidConfiguration, "the NKey seed is not base 32 of the right length")
        }
        let body = bytes.dropLast(2)
        guard Self.checksum(body) == UInt16(bytes[34]) | UInt16(bytes[35]) << 8 else {
            throw NATSError(.invalidConfiguration, "the NKey seed's checksum is wrong")
        }
        guard bytes[0] & 0xf8 == Self.seedPrefix, let kind = Kind(rawValue: bytes[0] << 5 | bytes[1] >> 3) else {
            throw NATSError(.invalidConfiguration, "the NKey is no seed of a user, account or operator")
        }
        try self.init(kind, seedBytes: Array(body.dropFirst(2)))
    }

    init(_ kind: Kind, seedBytes: [UInt8]) throws(NATSError) {
        self.kind = kind
        do { key = try Curve25519.Signing.PrivateKey(rawRepresentation: seedBytes) } catch {
            throw NATSError(.invalidConfiguration, "the NKey seed is no Ed25519 key")
        }
    }

    /// The seed's text: a secret.
    var seed: String {
        let prefix = [Self.seedPrefix | kind.rawValue >> 5, (kind.rawValue & 31) << 3]
        return Self.encode(prefix + key.rawRepresentation)
    }

    /// The public key's text, which begins with `U`, `A` or `O`.
    var publicKey: String { Self.encode([kind.rawValue] + key.publicKey.rawRepresentation) }

    /// The signature in base64url without padding.
    func sign(_ text: String) throws(NATSError) -> String {
        do { return Self.base64URL(Array(try key.signature(for: Array(text.utf8)))) } catch {
            throw NATSError(.invalidConfiguration, "the NKey cannot sign")
        }
    }

    static func base64URL(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    private static func encode(_ body: [UInt8]) -> String {
        let sum = checksum(body[...])
        return Base32.encode(body + [UInt8(truncatingIfNeeded: sum), UInt8(sum >> 8)])
    }

    /// CRC-16/XMODEM.
    static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt16 {
        bytes.reduce(0) { sum, byte in
            (0..<8).reduce(sum ^ UInt16(byte) << 8) { sum, _ in sum & 0x8000 == 0 ? sum << 1 : sum << 1 ^ 0x1021 }
        }
    }
}
