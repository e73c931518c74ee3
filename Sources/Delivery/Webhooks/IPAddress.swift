import Foundation

/// An address of IP, version 4 or 6. An IPv6 address that stands for one of IPv4 (RFC 4291, 2.5.5.2) is that one.
struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    /// 4 bytes or 16.
    let bytes: [UInt8]

    private init(bytes: [UInt8]) {
        let isMapped = bytes.count == 16 && bytes[..<12] == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
        self.bytes = isMapped ? Array(bytes[12...]) : bytes
    }

    /// Dotted decimal, or as RFC 4291 writes version 6; no zone, no brackets.
    init?(_ text: String) {
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            self.init(bytes: withUnsafeBytes(of: four) { Array($0) })
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            self.init(bytes: withUnsafeBytes(of: six) { Array($0) })
        } else {
            return nil
        }
    }

    /// Nil for another family.
    init?(_ address: UnsafePointer<sockaddr>) {
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
            self.init(
                bytes: address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    withUnsafeBytes(of: $0.pointee.sin_addr) { Array($0) }
                }
            )
        case AF_INET6:
            self.init(
                bytes: address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                    withUnsafeBytes(of: $0.pointee.sin6_addr) { Array($0) }
                }
            )
        default: return nil
        }
    }

    var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        _ = inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Anybody on the internet can be meant by it: not this machine, a private network, a link, a group, or an address
    /// that is set aside (IANA's IPv4 and IPv6 Special-Purpose Address Registries; RFC 6890).
    var isPublic: Bool {
        if bytes.count == 4 { return !Self.specialOfFour.contains { $0.contains(self) } }
        return Self.globalOfSix.contains { $0.contains(self) } && !Self.specialOfSix.contains { $0.contains(self) }
    }

    private static let specialOfFour = blocks(
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4"
    )
    private static let globalOfSix = blocks("2000::/3")
    /// Those that tunnel to addresses of IPv4 too.
    private static let specialOfSix = blocks(
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "2620:4f:8000::/48",
        "3fff::/20"
    )

    private static func blocks(_ texts: String...) -> [AddressBlock] { texts.compactMap(AddressBlock.init) }
}

/// A block of addresses, `10.0.0.0/8` or `fd00::/8`; an address alone is a block of one.
package struct AddressBlock: Sendable, Hashable {
    private let base: [UInt8]
    private let length: Int

    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first.flatMap({ IPAddress(String($0)) }) else { return nil }
        base = address.bytes
        guard parts.count == 2 else {
            length = base.count * 8
            return
        }
        guard let length = Int(parts[1]), (0...base.count * 8).contains(length) else { return nil }
        self.length = length
    }

    func contains(_ address: IPAddress) -> Bool {
        guard address.bytes.count == base.count else { return false }
        return (0..<length).allSatisfy { bit in
            (address.bytes[bit / 8] ^ base[bit / 8]) & (0x80 >> UInt8(bit % 8)) == 0
        }
    }
}
