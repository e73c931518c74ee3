/// What an `If-Match` header asks of the current version.
package enum Precondition: Sendable, Hashable {
    /// No header.
    case none
    /// `*`: any version will do.
    case exists
    /// One of these versions; ETags of anything else are left out, so none at all matches nothing.
    case versions(Set<Int64>)

    func admits(_ version: Int64) -> Bool {
        switch self {
        case .none, .exists: true
        case .versions(let versions): versions.contains(version)
        }
    }
}
