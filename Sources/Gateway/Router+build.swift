import Catalog
import EventLog
import HTTPTypes
package import Hummingbird

/// Every route, on one screen.
private func routes(
    _ services: GatewayServices,
    _ configuration: GatewayConfiguration,
    room: WaitingRoom
) -> [Route] {
    let body = BodyLimits(bytes: configuration.bodyLimitBytes, time: configuration.requestTimeout)
    let products = ProductsController(
        log: services.eventLog,
        body: body,
        requiresIfMatch: configuration.requireIfMatch
    )
    let health = HealthController(checks: services.readiness)
    let problems = ProblemPages()
    return [
        .scoped(.post, "/v1/products", .productsWrite, via: .post, products.create),
        .scoped(.get, "/v1/products", .productsRead, via: .list, products.list),
        .scoped(.get, "/v1/products/{id}", .productsRead, via: .get, products.fetch),
        .scoped(.put, "/v1/products/{id}", .productsWrite, via: .put, products.replace),
        .scoped(.patch, "/v1/products/{id}", .productsWrite, via: .patch, products.patch),
        .scoped(.delete, "/v1/products/{id}", .productsWrite, via: .delete, products.delete),

        .open("/livez", health.live),
        .open("/readyz", health.ready),
        .open("/docs/problems", problems.index),
        .open("/docs/problems/{code}", problems.page),
    ] + auditRoutes(services) + monitorRoutes(services) + queueRoutes(services, configuration, room: room)
        + WebhooksController(log: services.eventLog, secret: services.secret, body: body).routes
        + configuration.unaudited.map { source in
            let path = UnauditedSource.path(name: source.name) + "{id}"
            let unaudited = UnauditedFetch(products: products, pool: source.pool)
            return .scoped(.get, path, .productsRead, via: .get, unaudited.fetch)
        }
}

/// The router that the server and the tests share.
package func buildRouter(
    _ services: GatewayServices,
    configuration: GatewayConfiguration = GatewayConfiguration()
) -> Router<RastroRequestContext> {
    let room = WaitingRoom(limit: configuration.waitingRequestsLimit)
    let table = RouteTable(routes(services, configuration, room: room))
    let gate = Gate(
        authenticator: Authenticator(keys: services.keys),
        refusals: services.refusals,
        room: room
    )
    let router = Router(context: RastroRequestContext.self)
    router.add(
        middleware: EdgeMiddleware(
            routes: table,
            headerLimitBytes: configuration.headerLimitBytes,
            body: BodyLimits(bytes: configuration.bodyLimitBytes, time: configuration.requestTimeout)
        )
    )
    table.install(on: router, gate: gate)
    return router
}
