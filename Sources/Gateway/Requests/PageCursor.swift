import Catalog
import Crypto

/// Where a list goes on: opaque to clients, and good only for the same log and the same filter.
///
/// Bytes, in base64url: format (1), incarnation (8, ASCII), hash of the filter (8), values (8 each, big-endian), check
/// (4). The check catches typing errors; a cursor grants nothing, so it needs no secret.
package struct PageCursor: Sendable, Hashable {
    /// What the list's order needs to go on, such as the last id.
    package let values: [Int64]

    package init(_ values: [Int64]) { self.values = values }

    /// - Parameter filter: the list's name and everything that decides what is in it, in one fixed form.
    package func encode(filter: String, incarnation: String) -> String {
        var bytes: [UInt8] = [Self.format] + Self.binding(filter, incarnation)
        for value in values {
            let bits = UInt64(bitPattern: value)
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: bits >> UInt64(56 - 8 * $0)) }
        }
        return Base64URL.encode(bytes + Self.check(bytes))
    }

    /// - Throws: `invalid-cursor` when it is damaged, belongs to another list, filter or log, or has another number of
    ///   values.
    package init(_ text: String, filter: String, incarnation: String, count: Int) throws(Problem) {
        let length = 1 + 16 + 8 * count + 4
        guard text.utf8.count <= 256, let bytes = Base64URL.decode(text), bytes.count == length,
            bytes[0] == Self.format,
            Self.check(bytes.dropLast(4)) == Array(bytes.suffix(4))
        else { throw Problem(.invalidCursor, "the cursor is damaged, or of another list") }
        guard Array(bytes[1..<17]) == Self.binding(filter, incarnation) else {
            throw Problem(.invalidCursor, "the cursor belongs to another filter or another log: start without one")
        }
        values = (0..<count).map { index in
            let start = 17 + 8 * index
            return Int64(bitPattern: bytes[start..<start + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        }
    }

    private static let format: UInt8 = 1

    private static func binding(_ filter: String, _ incarnation: String) -> [UInt8] {
        let padded =
            Array(incarnation.utf8.prefix(8)) + [UInt8](repeating: 0, count: max(0, 8 - incarnation.utf8.count))
        return padded + SHA256.hash(data: Array("rastro/filter/v1\0\(filter)".utf8)).prefix(8)
    }

    private static func check(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        Array(SHA256.hash(data: Array("rastro/cursor/v1\0".utf8) + bytes).prefix(4))
    }
}
