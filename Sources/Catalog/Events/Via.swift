/// The kind of route or command that caused an event. Raw values are stored and never change.
package enum Via: Int16, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    case get = 1
    case list = 2
    case head = 3
    case post = 4
    case put = 5
    case patch = 6
    case delete = 7
    case cli = 8
    case `import` = 9
    case audit = 10
    case system = 11

    /// As answers, filters and leaves have it: `get`.
    package var name: String {
        switch self {
        case .get: "get"
        case .list: "list"
        case .head: "head"
        case .post: "post"
        case .put: "put"
        case .patch: "patch"
        case .delete: "delete"
        case .cli: "cli"
        case .import: "import"
        case .audit: "audit"
        case .system: "system"
        }
    }

    package init?(name: String) {
        guard let via = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = via
    }

    package var description: String { name }
}
