package import Catalog

/// What can be changed of a destination.
package struct DestinationSettings: Sendable, Hashable {
    package var configuration: JSONValue
    /// Only these; none for all.
    package var types: [EventType]
    package var products: [Int64]
    package var isPaused: Bool

    init(_ destination: DestinationDescription, isPaused: Bool) {
        configuration = destination.configuration
        types = destination.selection.types
        products = destination.selection.products
        self.isPaused = isPaused
    }
}

/// How destinations may be named: letters, digits, `.`, `_` and `-`, at most 80, a letter or digit first; not as the
/// built-in queue is.
package enum DestinationName {
    package static let builtIn = "product-events"

    package static func isValid(_ name: String) -> Bool {
        guard name != builtIn, (1...80).contains(name.utf8.count), name.first.map({ !"._-".contains($0) }) == true
        else { return false }
        return name.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "._-".utf8.contains(byte)
        }
    }
}
