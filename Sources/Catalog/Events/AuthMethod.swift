/// How the user of an event was known. Raw values are stored and never change.
package enum AuthMethod: Int16, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    case key = 1
    case actAs = 2
    case jwt = 3
    case cli = 4
    case system = 5

    package var name: String {
        switch self {
        case .key: "key"
        case .actAs: "act-as"
        case .jwt: "jwt"
        case .cli: "cli"
        case .system: "system"
        }
    }

    package init?(name: String) {
        guard let method = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = method
    }

    package var description: String { name }
}
