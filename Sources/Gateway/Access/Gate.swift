import Catalog
import EventLog
import HTTPTypes
import Hummingbird
import Synchronization

/// Stands before every route that is not open: room, who, how many refusals, scope; and gives each answer its caching
/// headers.
struct Gate: Sendable {
    let authenticator: Authenticator
    let refusals: RefusalLedger
    let room: WaitingRoom

    func handler(of route: Route, scope: Scope, _ handle: @escaping Route.Handler) -> Route.OpenHandler {
        { request, context in
            var response: Response
            do {
                response = try await admit(request, context, route: route, scope: scope, handle)
            } catch {
                let problem = Problem(mapping: error, logger: context.labelledLogger)
                response = problem.response(to: request, requestID: context.requestID)
            }
            route.caching.apply(to: &response)
            return response
        }
    }

    private func admit(
        _ request: Request,
        _ context: RastroRequestContext,
        route: Route,
        scope: Scope,
        _ handle: Route.Handler
    ) async throws -> Response {
        guard room.enter() else { throw Problem(.overloaded, "too many requests wait; nothing was done") }
        defer { room.leave() }
        let identity = try await authenticator.identify(request.headers, grace: route.keyGrace)
        try refusals.check(identity.caller)
        let via = route.via == .get && request.method == .head ? .head : route.via
        let exchange = Exchange(request: request, context: context, caller: identity.caller, via: via)
        if let missing = identity.missingScope(for: scope) { throw try await deny(exchange, route: route, missing) }
        try identity.checkEndUser()
        do {
            return try await handle(exchange)
        } catch let problem as Problem where problem.isRecordedAsNotFound {
            refusals.countNotFound(by: identity.caller)
            throw problem
        }
    }

    private func deny(_ exchange: Exchange, route: Route, _ scope: Scope) async throws -> Problem {
        let denial = Denial(
            method: exchange.request.method.rawValue,
            route: route.path,
            scope: scope,
            path: try? PathID(exchange.pathPart("id"))
        )
        let position = try await refusals.deny(denial, context: exchange.eventContext)
        let challenge = #"Bearer realm="rastro", error="insufficient_scope", scope="\#(scope.rawValue)""#
        return Problem(
            .missingScope,
            "this needs the scope \(scope.rawValue)",
            headers: [.wwwAuthenticate: challenge]
        ).at(position: position)
    }
}

/// Bounds how many requests are in progress at once.
final class WaitingRoom: Sendable {
    private let limit: Int
    private let inside = Atomic<Int>(0)

    init(limit: Int) { self.limit = limit }

    /// False when it is full; whoever got in must leave.
    func enter() -> Bool {
        let count = inside.wrappingAdd(1, ordering: .relaxed).newValue
        if count > limit { leave() }
        return count <= limit
    }

    func leave() { inside.wrappingSubtract(1, ordering: .relaxed) }
}
