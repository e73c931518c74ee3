package import Catalog

/// Which of the log's events a queue over the log holds.
package struct EventSource: Sendable, Hashable {
    package enum Start: Sendable, Hashable {
        /// From this position on, it included.
        case position(Int64)
        /// Only what comes after the queue was made.
        case new
    }

    /// Empty: all types.
    package var types: [EventType]
    /// Empty: all products, and events about none.
    package var products: [ProductID]
    package var start: Start

    package static let productLimit = 1_000

    package init(types: [EventType] = [], products: [ProductID] = [], start: Start = .position(1)) {
        (self.types, self.products, self.start) = (types, products, start)
    }

    /// The attributes that tell it, `RastroSource` not among them.
    var texts: [QueueAttributeName: String] {
        var texts: [QueueAttributeName: String] = [:]
        if !types.isEmpty { texts[.rastroEventTypes] = types.map(\.name).joined(separator: ",") }
        if !products.isEmpty {
            texts[.rastroProductIds] = products.map { String($0.rawValue) }.joined(separator: ",")
        }
        switch start {
        case .position(let position): texts[.rastroFromPosition] = String(position)
        case .new: texts[.rastroFromPosition] = "new"
        }
        return texts
    }

    mutating func setTypes(_ text: String) throws(SQSError) {
        types = []
        for name in text.split(separator: ",") {
            let trimmed = String(name.drop { $0 == " " })
            guard let type = EventType(name: trimmed) else {
                throw .invalidAttributeValue(
                    .rastroEventTypes,
                    "'\(trimmed.prefix(64))' is no type of event."
                )
            }
            if !types.contains(type) { types.append(type) }
        }
    }

    mutating func setProducts(_ text: String) throws(SQSError) {
        products = []
        for part in text.split(separator: ",") {
            let trimmed = part.drop { $0 == " " }
            guard let number = Int64(trimmed), let id = ProductID(number) else {
                throw .invalidAttributeValue(.rastroProductIds, "'\(trimmed.prefix(64))' is no product id.")
            }
            products.append(id)
        }
        guard products.count <= Self.productLimit else {
            throw .invalidAttributeValue(
                .rastroProductIds,
                "At most \(Self.productLimit) products can be named."
            )
        }
    }

    mutating func setStart(_ text: String) throws(SQSError) {
        if text == "new" {
            start = .new
        } else if let position = Int64(text), position > 0 {
            start = .position(position)
        } else {
            throw .invalidAttributeValue(.rastroFromPosition, "It must be a position of the log, or new.")
        }
    }
}
