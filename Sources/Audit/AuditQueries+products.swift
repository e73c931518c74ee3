package import Catalog

/// The questions about one product, by the id of one that there may be.
extension AuditQueries {
    package func productEvents(
        _ product: ProductID,
        _ filter: EventFilter = EventFilter(),
        limit: Int = defaultLimit,
        cursor: EventCursor? = nil
    ) async throws -> EventPage {
        try await productEvents(product.rawValue, filter, limit: limit, cursor: cursor)
    }

    package func viewers(
        of product: ProductID,
        limit: Int = defaultLimit,
        cursor: EventCursor? = nil
    ) async throws -> ViewerPage {
        try await viewers(of: product.rawValue, limit: limit, cursor: cursor)
    }

    package func state(of product: ProductID, at moment: ProductMoment) async throws -> ProductThen {
        try await state(of: product.rawValue, at: moment)
    }

    package func diff(of product: ProductID, from: Int64, to: Int64) async throws -> ProductDiff {
        try await diff(of: product.rawValue, from: from, to: to)
    }
}
