/// What a key may do.
package enum Scope: String, Sendable, Hashable, CaseIterable {
    case productsRead = "products:read"
    case productsWrite = "products:write"
    case auditRead = "audit:read"
    case queueConsume = "queue:consume"
    case queueSend = "queue:send"
    case queueAdmin = "queue:admin"
    case monitorRead = "monitor:read"
    /// All others but `act-as`.
    case admin
    /// May name the end user in `x-user-id`.
    case actAs = "act-as"

    /// Reads a comma-separated list; nil names the first part that is no scope.
    package static func parse(list: String) throws(UnknownScope) -> Set<Scope> {
        var scopes: Set<Scope> = []
        for part in list.split(separator: ",") {
            let name = part.drop { $0 == " " }
            guard let scope = Scope(rawValue: String(name)) else { throw UnknownScope(name: String(name)) }
            scopes.insert(scope)
        }
        return scopes
    }
}

package struct UnknownScope: Error, Sendable, CustomStringConvertible {
    package let name: String

    package var description: String {
        "'\(name)' is no scope; there are \(Scope.allCases.map(\.rawValue).joined(separator: ", "))"
    }
}
