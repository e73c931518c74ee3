import Catalog
import EventLog
import HTTPTypes
import Hummingbird

/// `/v1/products`.
struct ProductsController: Sendable {
    let log: EventLog
    let body: BodyLimits
    /// Whether PUT, PATCH and DELETE are refused without `If-Match`.
    let requiresIfMatch: Bool

    var tags: VersionTag { VersionTag(incarnation: log.identity.incarnation) }

    /// `GET`, `HEAD /v1/products/{id}`
    @Sendable
    func fetch(_ exchange: Exchange) async throws -> Response {
        let path = try PathID(exchange.pathPart("id"))
        _ = try QueryParameters(exchange.request, known: [])
        let known = try ifNoneMatch(exchange)
        let outcome = try await log.submit(.fetch(productID(path, exchange)), context: exchange.eventContext)
        let product = try Self.product(in: outcome)
        guard !tags.isNamed(product.version, in: known) else {
            return Response(status: .notModified, headers: headers(of: product, outcome))
        }
        return answer(.ok, product, outcome)
    }

    /// `POST /v1/products`
    @Sendable
    func create(_ exchange: Exchange) async throws -> Response {
        _ = try QueryParameters(exchange.request, known: [])
        try refuseConditions(exchange, .ifMatch, .ifNoneMatch)
        let json = try await exchange.json(.json, limits: body)
        let outcome = try await log.submit(.create(NewProduct(json: json)), context: exchange.eventContext)
        let product = try Self.product(in: outcome)
        var response = answer(.created, product, outcome)
        response.headers[.location] = "/v1/products/\(product.id)"
        return response
    }

    /// `PUT /v1/products/{id}`
    @Sendable
    func replace(_ exchange: Exchange) async throws -> Response {
        let change = try ChangeRequest(exchange, tags: tags)
        let json = try await exchange.json(.json, limits: body)
        let id = try change.path.productIDForBody()
        let replacement = try Replacement(json: json, id: id)
        try require(change.ifMatch)
        _ = try await productID(change.path, exchange)
        return try await submit(.replace(id, replacement, change.precondition), exchange)
    }

    /// `PATCH /v1/products/{id}`
    @Sendable
    func patch(_ exchange: Exchange) async throws -> Response {
        let change = try ChangeRequest(exchange, tags: tags)
        let json = try await exchange.json(.mergePatch, limits: body)
        let id = try change.path.productIDForBody()
        let patch = try Patch(json: json, id: id)
        try require(change.ifMatch)
        _ = try await productID(change.path, exchange)
        return try await submit(.patch(id, patch, change.precondition), exchange)
    }

    /// `DELETE /v1/products/{id}`
    @Sendable
    func delete(_ exchange: Exchange) async throws -> Response {
        let change = try ChangeRequest(exchange, tags: tags)
        try require(change.ifMatch)
        let command = Command.delete(try await productID(change.path, exchange), change.precondition)
        let outcome = try await log.submit(.command(command), context: exchange.eventContext)
        if case .rejected(let rejection) = outcome.answer { throw Problem(rejection, position: outcome.position) }
        return Response(status: .noContent, headers: Self.headers(outcome))
    }

    /// A product's id; of one that no product can have NOT_FOUND is recorded.
    ///
    /// - Throws: `product-not-found`, or `CommitError`.
    private func productID(_ path: PathID, _ exchange: Exchange) async throws -> ProductID {
        guard case .beyondRange(let number) = path else { return try path.productID() }
        let note = Note(type: .notFound, beyondRange: number)
        let outcome = try await log.submit(.note(note), context: exchange.eventContext)
        throw PathID.noSuchProduct.recordedAsNotFound(at: outcome.position)
    }

    private func submit(_ command: Command, _ exchange: Exchange) async throws -> Response {
        let outcome = try await log.submit(.command(command), context: exchange.eventContext)
        return answer(.ok, try Self.product(in: outcome), outcome)
    }

    /// - Throws: `precondition-required`.
    private func require(_ ifMatch: EntityTagList?) throws(Problem) {
        guard !requiresIfMatch || ifMatch != nil else {
            throw Problem(.preconditionRequired, "send If-Match with the ETag of what you want to change")
        }
    }
}
