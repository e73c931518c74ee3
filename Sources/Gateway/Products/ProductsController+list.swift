import Catalog
import EventLog
import HTTPTypes
import Hummingbird

extension ProductsController {
    private static let path = "/v1/products"
    private static let limits: ClosedRange<Int64> = 1...200
    private static let defaultLimit: Int64 = 50

    /// `GET`, `HEAD /v1/products?code=&limit=&cursor=`
    @Sendable
    func list(_ exchange: Exchange) async throws -> Response {
        let query = try QueryParameters(exchange.request, known: ["code", "limit", "cursor"])
        let code = try query.text("code")
        let limit = try query.integer("limit", in: Self.limits) ?? Self.defaultLimit
        let after = try cursor(query, code: code)
        try refuseConditions(exchange, .ifMatch, .ifNoneMatch)
        let work: Work = code.map { .listByCode($0) } ?? .list(after: after, limit: Int(limit))
        let outcome = try await log.submit(work, context: exchange.eventContext)
        guard case .products(let products, let last) = outcome.answer else {
            throw Problem(.internal, "the server failed: it gave another kind of answer")
        }
        // A page that was read full may be shown shorter; more may follow all the same.
        let next = code == nil ? last : nil
        return page(products, next: next, limit: limit, outcome)
    }

    /// The id after which the page begins.
    private func cursor(_ query: QueryParameters, code: String?) throws(Problem) -> Int64 {
        guard let text = query["cursor"] else { return 0 }
        let cursor = try PageCursor(
            text,
            filter: Self.filter(code: code),
            incarnation: log.identity.incarnation,
            count: 1
        )
        return cursor.values[0]
    }

    private static func filter(code: String?) -> String { "products code=\(code ?? "")" }

    private func page(_ products: [Product], next last: ProductID?, limit: Int64, _ outcome: Outcome) -> Response {
        let cursor = last.map { last in
            PageCursor([last.rawValue])
                .encode(filter: Self.filter(code: nil), incarnation: log.identity.incarnation)
        }
        var writer = JSONWriter(reserving: 64 + products.count * 320)
        writer.beginObject()
        writer.key("items")
        writer.beginArray()
        for product in products { writer.product(product) }
        writer.endArray()
        writer.member("next", cursor)
        writer.endObject()
        var headers = Self.headers(outcome)
        headers[.contentType] = "application/json"
        if let cursor { headers[.link] = "<\(Self.path)?limit=\(limit)&cursor=\(cursor)>; rel=\"next\"" }
        return Response(status: .ok, headers: headers, body: ResponseBody(json: writer))
    }
}
