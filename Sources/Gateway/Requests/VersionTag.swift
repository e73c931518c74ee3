import Catalog

/// Makes and reads products' ETags: strong, opaque to clients, made of the log's incarnation and the version, so that
/// a version of a lost tail never matches.
package struct VersionTag: Sendable {
    private let prefix: String

    package init(incarnation: String) { prefix = incarnation + "-" }

    /// As the `ETag` field has it, quotes included.
    package func text(_ version: Int64) -> String { "\"\(prefix)\(version)\"" }

    /// The version that a tag of this log names.
    func version(_ tag: EntityTag) -> Int64? {
        guard tag.opaque.utf8.starts(with: prefix.utf8) else { return nil }
        return Int64(canonical: tag.opaque.dropFirst(prefix.count)).flatMap { $0 > 0 ? $0 : nil }
    }

    /// What an `If-Match` asks: the strong comparison, so weak tags match nothing.
    func precondition(_ list: EntityTagList?) -> Precondition {
        switch list {
        case nil: .none
        case .any: .exists
        case .tags(let tags): .versions(Set(tags.filter { !$0.isWeak }.compactMap(version)))
        }
    }

    /// Whether an `If-None-Match` names the version: the weak comparison.
    func isNamed(_ version: Int64, in list: EntityTagList?) -> Bool {
        switch list {
        case nil: false
        case .any: true
        case .tags(let tags): tags.contains { self.version($0) == version }
        }
    }
}
