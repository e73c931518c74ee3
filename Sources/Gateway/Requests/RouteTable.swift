import EventLog
import HTTPTypes
import Hummingbird

/// All routes: what the router is made of, and what it takes to tell a wrong method from a wrong path.
struct RouteTable: Sendable {
    private let routes: [Route]
    private let patterns: [(parts: [Substring], methods: [HTTPRequest.Method])]

    init(_ routes: [Route]) {
        self.routes = routes
        patterns = routes.map { ($0.path.split(separator: "/"), $0.methods) }
    }

    func install(on router: Router<RastroRequestContext>, gate: Gate) {
        for route in routes {
            let handler: Route.OpenHandler =
                switch route.action {
                case .open(let handler): handler
                case .scoped(let scope, let handler): gate.handler(of: route, scope: scope, handler)
                }
            for method in route.methods { router.on(RouterPath(route.path), method: method, use: handler) }
        }
    }

    /// The methods that a path has; empty when there is nothing at it.
    func methods(at path: String) -> [HTTPRequest.Method] {
        let parts = path.split(separator: "/")
        return patterns.filter { Self.matches($0.parts, parts) }.flatMap(\.methods)
    }

    /// What the router calls not found, when it is the method that is wrong.
    func methodProblem(_ request: Request, _ error: any Error) -> Problem? {
        guard let error = error as? HTTPError, error.status == .notFound else { return nil }
        let methods = methods(at: request.uri.path)
        guard !methods.isEmpty else { return nil }
        let list = methods.map(\.rawValue).joined(separator: ", ")
        return Problem(
            .methodNotAllowed,
            "\(request.method.rawValue.excerpt) is no method of this path; there is: \(list)",
            headers: [.allow: list]
        )
    }

    private static func matches(_ pattern: [Substring], _ path: [Substring]) -> Bool {
        pattern.count == path.count && zip(pattern, path).allSatisfy { $0.first == "{" || $0 == $1 }
    }
}
