/// What happened. Raw values are stored and never change.
package enum EventType: Int16, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    case created = 1
    case updated = 2
    case deleted = 3
    case expired = 4
    case fetched = 5
    case notFound = 6
    case denied = 7
    case userRegistered = 8
    case userErased = 9
    case auditQueried = 10
    case operated = 11
    case throttled = 12
    case logPruned = 13
    case logForked = 14

    /// Upper case, as answers and filters have it: `NOT_FOUND`.
    package var name: String {
        switch self {
        case .created: "CREATED"
        case .updated: "UPDATED"
        case .deleted: "DELETED"
        case .expired: "EXPIRED"
        case .fetched: "FETCHED"
        case .notFound: "NOT_FOUND"
        case .denied: "DENIED"
        case .userRegistered: "USER_REGISTERED"
        case .userErased: "USER_ERASED"
        case .auditQueried: "AUDIT_QUERIED"
        case .operated: "OPERATED"
        case .throttled: "THROTTLED"
        case .logPruned: "LOG_PRUNED"
        case .logForked: "LOG_FORKED"
        }
    }

    /// Nil unless it is one of the names, letter by letter.
    package init?(name: String) {
        guard let type = Self.byName[name] else { return nil }
        self = type
    }

    /// Whether it changes a product: these alone matter to replay.
    package var isChange: Bool { rawValue <= Self.expired.rawValue }

    /// The `type` of its CloudEvents envelope: what happens to, or is asked of, products is `rastro.product.…`, the
    /// log's own events are `rastro.log.…`.
    package var cloudEventsType: String {
        switch self {
        case .created: "rastro.product.created"
        case .updated: "rastro.product.updated"
        case .deleted: "rastro.product.deleted"
        case .expired: "rastro.product.expired"
        case .fetched: "rastro.product.fetched"
        case .notFound: "rastro.product.not_found"
        case .denied: "rastro.product.denied"
        case .userRegistered: "rastro.log.user_registered"
        case .userErased: "rastro.log.user_erased"
        case .auditQueried: "rastro.log.audit_queried"
        case .operated: "rastro.log.operated"
        case .throttled: "rastro.log.throttled"
        case .logPruned: "rastro.log.pruned"
        case .logForked: "rastro.log.forked"
        }
    }

    package var description: String { name }

    private static let byName = Dictionary(uniqueKeysWithValues: allCases.map { ($0.name, $0) })
}
