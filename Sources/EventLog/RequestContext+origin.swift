package import Catalog

extension RequestContext {
    /// Parts of the server that act by themselves, each under a user id of its own.
    package enum Component: String, Sendable {
        case server = "system:server"
        case clock = "system:clock"
        case expiry = "system:ttl"
        case relay = "system:relay"
    }

    /// The server itself acts.
    package static func system(_ component: Component) -> RequestContext {
        guard let userID = UserID(any: component.rawValue) else {
            preconditionFailure("a component's user id is well-formed")
        }
        return RequestContext(
            caller: Caller(userID: userID, client: nil, auth: .system),
            requestID: .generated(UUIDv7()),
            trace: nil,
            via: .system
        )
    }

    /// A command of the command line, by the database role it connects as; nil when the role's name cannot stand in a
    /// user id.
    package static func commandLine(role: String, via: Via = .cli) -> RequestContext? {
        guard let userID = UserID(any: "role:\(role)") else { return nil }
        return RequestContext(
            caller: Caller(userID: userID, client: nil, auth: .cli),
            requestID: .generated(UUIDv7()),
            trace: nil,
            via: via
        )
    }
}

extension RequestContext {
    /// The same request in the name of another user.
    package func acting(as userID: UserID) -> RequestContext {
        let caller = Caller(userID: userID, client: caller.client, auth: caller.auth)
        return RequestContext(caller: caller, requestID: requestID, trace: trace, via: via)
    }
}
