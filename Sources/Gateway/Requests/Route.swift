import Catalog
import EventLog
import HTTPTypes
package import Hummingbird

/// One line of the routing table.
package struct Route: Sendable {
    package typealias Handler = @Sendable (Exchange) async throws -> Response
    package typealias OpenHandler = @Sendable (Request, RastroRequestContext) async throws -> Response

    enum Action: Sendable {
        /// For everybody.
        case open(OpenHandler)
        /// For those who have the scope.
        case scoped(Scope, Handler)
    }

    let method: HTTPRequest.Method
    let path: String
    /// What the route's events bear as `via`; a HEAD of a `.get` route bears `.head`.
    let via: Via
    let caching: Caching
    let action: Action
    /// While the database is away, a key that was found right within this time passes.
    var keyGrace: Duration = .zero

    /// `GET` and `HEAD` for everybody.
    static func open(_ path: String, _ handler: @escaping OpenHandler) -> Route {
        Route(method: .get, path: path, via: .get, caching: .asItStands, action: .open(handler))
    }

    /// A method for those who have a scope; `.get` stands for `HEAD` too.
    static func scoped(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ scope: Scope,
        via: Via,
        caching: Caching = .revalidate,
        _ handler: @escaping Handler
    ) -> Route {
        Route(method: method, path: path, via: via, caching: caching, action: .scoped(scope, handler))
    }

    /// The methods that it answers.
    var methods: [HTTPRequest.Method] { method == .get ? [.get, .head] : [method] }
}

/// Who may keep an answer.
package enum Caching: Sendable {
    /// Product answers: the client's own cache, after asking again each time.
    case revalidate
    /// Audit answers: nobody.
    case never
    case asItStands

    private static let vary = "Authorization, x-api-key, x-user-id"

    func apply(to response: inout Response) {
        switch self {
        case .revalidate:
            response.headers[.cacheControl] = "private, no-cache"
            response.headers[.vary] = Self.vary
        case .never:
            response.headers[.cacheControl] = "no-store"
        case .asItStands: break
        }
    }
}
