import ArgumentParser
import Catalog
import Delivery

/// Which events a destination gets.
struct EventFilterOptions: ParsableArguments {
    @Option(help: "Only events of this type, such as UPDATED; may be given again.")
    var type: [String] = []

    @Option(help: "Only this product's events; may be given again.")
    var product: [Int64] = []

    func validate() throws {
        for id in product where ProductID(id) == nil { throw ValidationError("a product id is a positive integer") }
        try EventType.validate(names: type)
    }

    var types: [EventType] { type.compactMap(EventType.init(name:)) }

    static func validate(name: String) throws {
        guard name != DestinationName.builtIn else { throw ValidationError("\(name) is the built-in queue") }
        guard DestinationName.isValid(name) else { throw ValidationError("'\(name)' is no name for a destination") }
    }
}

/// Where a filter is changed: what takes it away.
struct UnfilteredOptions: ParsableArguments {
    @Flag(help: "Events of all types.")
    var allTypes = false

    @Flag(help: "All products' events.")
    var allProducts = false

    func validate(with filter: EventFilterOptions) throws {
        guard !allTypes || filter.type.isEmpty else { throw ValidationError("either --type or --all-types") }
        guard !allProducts || filter.product.isEmpty else {
            throw ValidationError("either --product or --all-products")
        }
    }

    /// Nil: as before.
    func types(_ filter: EventFilterOptions) -> [EventType]? { allTypes || !filter.type.isEmpty ? filter.types : nil }

    /// Nil: as before.
    func products(_ filter: EventFilterOptions) -> [Int64]? {
        allProducts || !filter.product.isEmpty ? filter.product : nil
    }
}

extension EventType {
    /// Throws for the first that is no type's name.
    static func validate(names: [String]) throws {
        for name in names where EventType(name: name) == nil {
            throw ValidationError(
                "'\(name)' is no event type; there are \(EventType.allCases.map(\.name).joined(separator: ", "))"
            )
        }
    }
}
