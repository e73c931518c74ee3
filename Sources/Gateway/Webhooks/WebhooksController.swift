import Catalog
import Delivery
import EventLog
import HTTPTypes
import Hummingbird
import LibPQ

/// `/v1/webhooks`: endpoints that get events as they are recorded. Only `admin`: a webhook carries events out of the
/// house.
struct WebhooksController: Sendable {
    let log: EventLog
    /// Nil: no webhook's secret can be made here.
    let secret: ServerSecret?
    let body: BodyLimits

    /// All of its routes.
    var routes: [Route] {
        [
            .scoped(.get, "/v1/webhooks", .admin, via: .list, caching: .never, list),
            .scoped(.post, "/v1/webhooks", .admin, via: .post, caching: .never, create),
            .scoped(.get, "/v1/webhooks/{name}", .admin, via: .get, caching: .never, fetch),
            .scoped(.patch, "/v1/webhooks/{name}", .admin, via: .patch, caching: .never, change),
            .scoped(.delete, "/v1/webhooks/{name}", .admin, via: .delete, caching: .never, remove),
            .scoped(.post, "/v1/webhooks/{name}/rotate", .admin, via: .post, caching: .never, rotate),
        ]
    }

    /// `GET /v1/webhooks`
    @Sendable
    private func list(_ exchange: Exchange) async throws -> Response {
        _ = try QueryParameters(exchange.request, known: [])
        let webhooks = try await log.readers.withConnection { try Webhook.read($0) }
        var writer = JSONWriter(reserving: 256 + 512 * webhooks.count)
        writer.beginObject()
        writer.key("items")
        writer.beginArray()
        for webhook in webhooks { writer.webhook(webhook) }
        writer.endArray()
        writer.endObject()
        return answer(.ok, writer)
    }

    /// `GET /v1/webhooks/{name}`
    @Sendable
    private func fetch(_ exchange: Exchange) async throws -> Response {
        _ = try QueryParameters(exchange.request, known: [])
        return try await answer(.ok, exchange.pathPart("name"))
    }

    /// `POST /v1/webhooks` `{"name", "url", "types"?, "products"?, "from"?, "timeoutSeconds"?, "concurrency"?}`: the only
    /// answers that show a secret are this one and `rotate`'s.
    @Sendable
    private func create(_ exchange: Exchange) async throws -> Response {
        _ = try QueryParameters(exchange.request, known: [])
        let body = try WebhookBody(try await exchange.json(.json, limits: body), for: .create)
        guard let name = body.name, let url = body.change.url else {
            throw Problem(.internal, "the server failed: a body without name was taken")
        }
        var configuration = WebhookConfiguration(url: url)
        configuration.timeoutSeconds = body.change.timeoutSeconds ?? configuration.timeoutSeconds
        configuration.concurrency = body.change.concurrency ?? configuration.concurrency
        let added = try await administration(exchange).add(
            name: name,
            configuration: configuration,
            types: body.change.types ?? [],
            products: body.change.products ?? [],
            after: body.from.map { $0 - 1 }
        )
        guard let added else { throw Problem(.nameTaken, "there is a destination of this name") }
        var response = try await answer(.created, name, secret: added.secret)
        response.headers[.location] = "/v1/webhooks/\(name)"
        return response
    }

    /// `PATCH /v1/webhooks/{name}` `{"url"?, "types"?, "products"?, "timeoutSeconds"?, "concurrency"?, "paused"?}`
    @Sendable
    private func change(_ exchange: Exchange) async throws -> Response {
        _ = try QueryParameters(exchange.request, known: [])
        let name = exchange.pathPart("name")
        let body = try WebhookBody(try await exchange.json(.mergePatch, limits: body), for: .patch)
        let destinations = DestinationAdministration(log: log, context: exchange.eventContext)
        guard try await destinations.change(webhook: name, body.change) else { throw Self.notFound }
        return try await answer(.ok, name)
    }

    /// `POST /v1/webhooks/{name}/rotate`: a new secret; the one before signs as well for a day.
    @Sendable
    private func rotate(_ exchange: Exchange) async throws -> Response {
        _ = try QueryParameters(exchange.request, known: [])
        let name = exchange.pathPart("name")
        let secret = try await administration(exchange).rotate(name, keeping: WebhookAdministration.keeping)
        guard let secret else { throw Self.notFound }
        return try await answer(.ok, name, secret: secret)
    }

    /// `DELETE /v1/webhooks/{name}`
    @Sendable
    private func remove(_ exchange: Exchange) async throws -> Response {
        _ = try QueryParameters(exchange.request, known: [])
        let destinations = DestinationAdministration(log: log, context: exchange.eventContext)
        guard try await destinations.remove(exchange.pathPart("name"), kind: .webhook) else { throw Self.notFound }
        return Response(status: .noContent)
    }

    private func administration(_ exchange: Exchange) throws(Problem) -> WebhookAdministration {
        guard let secret else {
            throw Problem(.noServerSecret, "the server has no secret of its own: set RASTRO_SECRET_FILE")
        }
        return WebhookAdministration(log: log, context: exchange.eventContext, secret: secret)
    }

    private static let notFound = Problem(.webhookNotFound, "there is no such webhook")

    private func answer(
        _ status: HTTPResponse.Status,
        _ name: String,
        secret: String? = nil
    ) async throws -> Response {
        let webhooks = try await log.readers.withConnection { try Webhook.read($0) }
        guard let webhook = webhooks.first(where: { $0.name == name }) else { throw Self.notFound }
        var writer = JSONWriter(reserving: 1_024)
        writer.webhook(webhook, secret: secret)
        return answer(status, writer)
    }

    private func answer(_ status: HTTPResponse.Status, _ writer: JSONWriter) -> Response {
        Response(status: status, headers: [.contentType: "application/json"], body: ResponseBody(json: writer))
    }
}
